package redistest

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"trunkline/services/platform/natstest/process"
)

const (
	masters      = 3
	slots        = 16384
	clusterLimit = 60 * time.Second
	clusterTick  = 20 * time.Millisecond
)

// Cluster is a Redis Cluster of three masters without replicas. Each node owns a
// third of the slots, in the order of Nodes.
type Cluster struct {
	Nodes []*Server

	bus []string // cluster bus port of each node
}

// StartCluster runs three servers, joins them and returns when every node
// reports the whole cluster as ok. While one node is down the cluster answers
// CLUSTERDOWN for its slots only.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{}
	for range masters {
		bus := strconv.Itoa(process.FreePort(t))
		c.bus = append(c.bus, bus)
		c.Nodes = append(c.Nodes, Start(t,
			"--cluster-enabled", "yes",
			"--cluster-config-file", "nodes.conf",
			// Given by us: by default it is port+10000, which may be in use.
			"--cluster-port", bus,
			"--cluster-node-timeout", "1000",
			"--cluster-require-full-coverage", "no"))
	}
	if err := c.join(); err != nil {
		t.Fatalf("join the Redis cluster: %v", err)
	}
	c.AwaitOK(t)
	return c
}

// Addrs returns the address of every node.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		addrs[i] = n.Addr()
	}
	return addrs
}

// AwaitOK waits until every node sees all nodes and all slots as ok.
func (c *Cluster) AwaitOK(t testing.TB) {
	t.Helper()
	deadline := time.Now().Add(clusterLimit)
	for {
		err := c.check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the Redis cluster is not ok after %v: %v", clusterLimit, err)
		}
		<-time.After(clusterTick)
	}
}

func (c *Cluster) join() error {
	for i, n := range c.Nodes {
		first, last := i*slots/masters, (i+1)*slots/masters-1
		if _, err := n.call(fmt.Sprintf("CLUSTER ADDSLOTSRANGE %d %d", first, last)); err != nil {
			return err
		}
		if _, err := n.call(fmt.Sprintf("CLUSTER SET-CONFIG-EPOCH %d", i+1)); err != nil {
			return err
		}
	}
	for i, n := range c.Nodes[1:] {
		host, port, err := net.SplitHostPort(n.Addr())
		if err != nil {
			return err
		}
		if _, err := c.Nodes[0].call(strings.Join([]string{"CLUSTER MEET", host, port, c.bus[i+1]}, " ")); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) check() error {
	for i, n := range c.Nodes {
		info, err := n.call("CLUSTER INFO")
		if err != nil {
			return err
		}
		for _, want := range []string{
			"cluster_state:ok",
			fmt.Sprintf("cluster_slots_ok:%d", slots),
			fmt.Sprintf("cluster_known_nodes:%d", masters),
		} {
			if !strings.Contains(info, want+"\r\n") {
				return fmt.Errorf("node %d does not report %s", i, want)
			}
		}
	}
	return nil
}
