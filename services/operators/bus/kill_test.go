package bus_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/operators/database"
)

// The environment of a test binary that is a relay and nothing else, so that a test can kill it.
const (
	childDatabase = "RELAY_CHILD_DATABASE"
	childNATS     = "RELAY_CHILD_NATS"
	childNow      = "RELAY_CHILD_NOW"    // the time at which its clock stands, in Unix seconds
	childLast     = "RELAY_CHILD_EVENTS" // it stops for ever after that many acknowledgements, to be killed there
	atTheEnd      = "here"               // what it says then
)

// init runs before the tests of the binary do. In a marked process it becomes a relay and never returns.
func init() {
	if url, marked := os.LookupEnv(childDatabase); marked {
		go func() { // it does not outlive the test
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		fmt.Println(relayUntilKilled(url))
		os.Exit(1)
	}
}

func relayUntilKilled(url string) error {
	seconds, err := strconv.ParseInt(os.Getenv(childNow), 10, 64)
	if err != nil {
		return err
	}
	last, err := strconv.ParseInt(os.Getenv(childLast), 10, 64)
	if err != nil {
		return err
	}
	db, err := open(url)
	if err != nil {
		return err
	}
	conn, err := connect(os.Getenv(childNATS))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := conn.AwaitConnected(ctx); err != nil {
		return err
	}
	next := newPublisher(conn)
	var acknowledged atomic.Int64
	publisher := publishFunc(func(ctx context.Context, e operators.Outgoing) error {
		err := next.Publish(ctx, e)
		if err == nil && acknowledged.Add(1) == last {
			fmt.Println(atTheEnd)
			select {}
		}
		return err
	})
	now := func() time.Time { return time.Unix(seconds, 0) }
	operators.NewRelay(database.NewOutbox(db), publisher, now, slog.New(slog.DiscardHandler)).Run(context.Background())
	return nil
}

// child is a relay in a process of its own.
type child struct {
	cmd *exec.Cmd
	out io.ReadCloser
}

func (w *world) startChild(t *testing.T, events int) child {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childDatabase+"="+w.url, childNATS+"="+w.nats.URL(),
		childNow+"="+strconv.FormatInt(w.clock.Now().Unix(), 10), childLast+"="+strconv.Itoa(events))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	_, err = cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return child{cmd, out}
}

// killAtTheEnd waits until the relay has come to its end, and kills it there.
func (c child) killAtTheEnd(t *testing.T) {
	t.Helper()
	line := bufio.NewScanner(c.out)
	line.Scan()
	text := line.Text()
	require.NoError(t, c.cmd.Process.Kill())
	_ = c.cmd.Wait() // it was killed
	require.Equal(t, atTheEnd, text)
}

// In each round two relays are killed with SIGKILL, each right after an acknowledgement drawn at random, so with a
// batch in hand of which some events are in the stream and none is marked.
func TestNoEventIsLostWhenRelaysAreKilled(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const (
			rounds = 3
			most   = 90 // acknowledgements of one relay in a round; it claims one batch for them
		)
		var ids []uuid.UUID
		for range rounds {
			// Enough for both, whatever the other one has claimed.
			ids = append(ids, w.commit(t, 300)...)
			one, other := w.startChild(t, 1+rand.IntN(most)), w.startChild(t, 1+rand.IntN(most))
			one.killAtTheEnd(t)
			other.killAtTheEnd(t)
			var claimed int
			require.NoError(t, w.db.NewRaw("SELECT count(*) FROM outbox WHERE claimed_by <> ''").Scan(t.Context(), &claimed))
			require.Positive(t, claimed, "they died with work in hand")
			w.clock.Advance(lease)
		}
		w.run(t, database.NewOutbox(w.db), newPublisher(w.conn))
		w.published(t, len(ids))
		stored := map[uuid.UUID]bool{}
		for _, id := range w.storedIDs(t) {
			stored[id] = true
		}
		require.Len(t, stored, len(ids))
		for _, id := range ids {
			require.True(t, stored[id])
		}
	})
}
