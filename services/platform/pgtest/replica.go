package pgtest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Replica is a hot standby of a server. It may be killed, restarted and frozen
// like its primary, and replays what it receives until PauseReplay.
type Replica struct {
	*Server
	primary *Server
}

// StartReplica gives s a replica that no other test uses. It is stopped and
// removed at the end of t. The test fails when no replica can be had.
func (s *Server) StartReplica(t testing.TB) *Replica {
	t.Helper()
	r, err := s.newReplica()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.remove(); err != nil {
			t.Errorf("stop the PostgreSQL replica of this test: %v", err)
		}
	})
	return r
}

func (s *Server) newReplica() (*Replica, error) {
	data, err := os.MkdirTemp(s.cluster.root, "replica-")
	if err != nil {
		return nil, fmt.Errorf("make a data folder: %w", err)
	}
	// The copy makes the folder itself, owned by the user the servers run as.
	if err := os.Remove(data); err != nil {
		return nil, fmt.Errorf("make a data folder: %w", err)
	}
	backup := s.cluster.command("pg_basebackup", "--pgdata="+data, "--write-recovery-conf", "--wal-method=stream",
		"--checkpoint=fast", "--no-sync", "--host=127.0.0.1", "--port="+strconv.Itoa(s.port), "--username="+superuser)
	if out, err := backup.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("pg_basebackup: %w\n%s", err, bytes.TrimSpace(out))
	}
	r := &Replica{Server: &Server{cluster: s.cluster, data: data}, primary: s}
	return r, r.launchAnywhere()
}

// CatchUp waits until the replica shows everything that the primary has
// committed by now.
func (r *Replica) CatchUp(t testing.TB) {
	t.Helper()
	var position string
	query(t, r.primary.URL(), "SELECT pg_current_wal_lsn()::text", &position)
	r.await(t, "SELECT coalesce(pg_last_wal_replay_lsn() >= '"+position+"'::pg_lsn, false)")
}

// PauseReplay makes the replica fall behind: it goes on receiving and shows
// nothing new. It returns when replay stands still. ResumeReplay ends it.
func (r *Replica) PauseReplay(t testing.TB) {
	t.Helper()
	Exec(t, r.URL(), "SELECT pg_wal_replay_pause()")
	r.await(t, "SELECT pg_get_wal_replay_pause_state() = 'paused'")
}

// ResumeReplay lets the replica catch up.
func (r *Replica) ResumeReplay(t testing.TB) {
	t.Helper()
	Exec(t, r.URL(), "SELECT pg_wal_replay_resume()")
}

// await asks the replica until the answer is true.
func (r *Replica) await(t testing.TB, condition string) {
	t.Helper()
	for end := time.Now().Add(startLimit); ; time.Sleep(startTick) {
		var holds bool
		if query(t, r.URL(), condition, &holds); holds {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the replica does not get there: %s", condition)
		}
	}
}

func query(t testing.TB, url, text string, into any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), adminLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatalf("connect to the test server: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := conn.QueryRow(ctx, text).Scan(into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
