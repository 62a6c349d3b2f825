package jetstream

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const embeddedReady = 10 * time.Second

// EmbeddedServer is a NATS server inside this process, meant for development on
// one machine. It writes without waiting for the disk (sync always is off): a
// crash of the process loses nothing, a crash of the machine may lose the last two
// minutes. Give it to Connect with WithInProcessServer.
type EmbeddedServer struct {
	server *server.Server
	// temporary is the store to remove on Shutdown, or "".
	temporary string
}

// Embedded starts a server that keeps its streams in dir; an empty dir means a
// temporary one that Shutdown removes. With an empty listenAddr only this process
// can connect; otherwise every NATS client can at that address, without a
// password, and so only a loopback address is accepted. Port 0 picks a free port.
func Embedded(dir, listenAddr string) (*EmbeddedServer, error) {
	opts := &server.Options{
		ServerName: "embedded", JetStream: true, StoreDir: dir,
		NoSigs: true, DontListen: true, NoLog: true,
	}
	if listenAddr != "" {
		host, port, err := loopback(listenAddr)
		if err != nil {
			return nil, err
		}
		opts.DontListen, opts.Host, opts.Port = false, host, port
	}
	e := &EmbeddedServer{}
	if dir == "" {
		temporary, err := os.MkdirTemp("", "jetstream-")
		if err != nil {
			return nil, fmt.Errorf("create a temporary store: %w", err)
		}
		e.temporary, opts.StoreDir = temporary, temporary
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("configure the embedded NATS server: %w", err), e.removeTemporary())
	}
	e.server = s
	s.Start()
	if !s.ReadyForConnections(embeddedReady) {
		return nil, errors.Join(
			fmt.Errorf("the embedded NATS server is not ready after %v: check that %q is free and %q can be written",
				embeddedReady, listenAddr, opts.StoreDir),
			e.Shutdown())
	}
	return e, nil
}

// loopback splits addr and checks that the port is free. The server itself would
// only log a port in use, to nowhere, and never become ready.
func loopback(addr string) (string, int, error) {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("the listen address %q of the embedded NATS server must be host:port", addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, fmt.Errorf(
			"the embedded NATS server has no access control: listen on 127.0.0.1 instead of %q, or run a NATS server of its own", host)
	}
	probe, err := net.Listen("tcp", addr)
	if err != nil {
		return "", 0, fmt.Errorf("listen address of the embedded NATS server: %w", err)
	}
	if err := probe.Close(); err != nil {
		return "", 0, fmt.Errorf("release the probed port: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return "", 0, fmt.Errorf("the port of %q must be a number", addr)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// InProcessConn implements InProcessServer.
func (e *EmbeddedServer) InProcessConn() (net.Conn, error) { return e.server.InProcessConn() }

// URL returns the address for other NATS clients, or "" when the server does not listen.
func (e *EmbeddedServer) URL() string {
	if e.server.Addr() == nil {
		return ""
	}
	return e.server.ClientURL()
}

// Shutdown stops the server and returns when its files are closed. Close the
// connections to it first.
func (e *EmbeddedServer) Shutdown() error {
	e.server.Shutdown()
	e.server.WaitForShutdown()
	return e.removeTemporary()
}

func (e *EmbeddedServer) removeTemporary() error {
	if e.temporary == "" {
		return nil
	}
	return os.RemoveAll(e.temporary)
}
