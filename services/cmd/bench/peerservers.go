package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/rueidis"

	"trunkline/services/platform/e164"
)

// prefixesOf gives all prefixes of a number that a rule may have, longest first.
func prefixesOf(number e164.Number, into []string) []string {
	digits := number.Digits()
	into = into[:0]
	for n := min(longest, len(digits)); n > 0; n-- {
		into = append(into, digits[:n])
	}
	return into
}

// postgresBinaries finds the folder of the server: beside initdb in PATH, or where Debian puts the newest.
func postgresBinaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // the pattern is right
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if target, err := filepath.EvalSymlinks(initdb); err == nil {
			found = append(found, filepath.Join(filepath.Dir(target), "postgres"))
		}
	}
	if len(found) == 0 {
		return "", fmt.Errorf("%w: PostgreSQL is not installed (./task setup)", errMissing)
	}
	major := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // another layout comes last
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) })), nil
}

// startPostgres runs an empty PostgreSQL server, which forgets at a power cut, and gives its address.
func startPostgres(ctx context.Context) (_ *server, address string, err error) {
	bin, err := postgresBinaries()
	if err != nil {
		return nil, "", err
	}
	s, err := newServer(false)
	if err != nil {
		return nil, "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	data := filepath.Join(s.dir, "data")
	if err := s.run(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "bench", "--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8"); err != nil {
		return nil, "", err
	}
	address = "postgres://bench@/postgres?sslmode=disable&host=" + s.dir
	answers := func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	}
	return s, address, s.start(ctx, answers, filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses=",
		"-c", "unix_socket_directories="+s.dir, "-c", "shared_buffers=256MB", "-c", "fsync=off")
}

// newPostgres asks a table with a primary key on the prefix.
func newPostgres(ctx context.Context, _ *bench, c *carrier) (_ *peer, err error) {
	s, address, err := startPostgres(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, conn.Close(context.WithoutCancel(ctx)), s.stop())
		}
	}()
	start := time.Now()
	size, err := fillPostgres(ctx, conn, c)
	if err != nil {
		return nil, err
	}
	p := &peer{built: time.Since(start), bytes: size, elapsed: true}
	const query = "SELECT rule FROM rules WHERE prefix = ANY($1) ORDER BY length(prefix) DESC LIMIT 1"
	if _, err := conn.Prepare(ctx, "longest", query); err != nil {
		return nil, err
	}
	var prefixes []string
	lookup := func(ctx context.Context, number e164.Number) (rule int32, err error) {
		prefixes = prefixesOf(number, prefixes)
		return rule, conn.QueryRow(ctx, "longest", prefixes).Scan(&rule)
	}
	p.find = func(ctx context.Context, number e164.Number) (string, error) {
		rule, err := lookup(ctx, number)
		return c.prefixes[rule], err
	}
	// The calls go on past the end of the time: a query that is broken off costs the connection.
	p.all = func(ctx context.Context, numbers []e164.Number) (int, error) {
		for i := range numbers {
			if ctx.Err() != nil && i > 0 {
				return i, nil
			}
			if _, err := lookup(context.WithoutCancel(ctx), numbers[i]); err != nil {
				return i, err
			}
		}
		return len(numbers), nil
	}
	p.stop = func() error { return errors.Join(conn.Close(context.WithoutCancel(ctx)), s.stop()) }
	return p, nil
}

func fillPostgres(ctx context.Context, conn *pgx.Conn, c *carrier) (size int64, err error) {
	if _, err := conn.Exec(ctx, "CREATE TABLE rules (prefix text COLLATE \"C\" PRIMARY KEY, rule integer NOT NULL)"); err != nil {
		return 0, err
	}
	rows := pgx.CopyFromSlice(len(c.prefixes), func(i int) ([]any, error) { return []any{c.prefixes[i], int32(i)}, nil })
	if _, err := conn.CopyFrom(ctx, pgx.Identifier{"rules"}, []string{"prefix", "rule"}, rows); err != nil {
		return 0, err
	}
	if _, err := conn.Exec(ctx, "VACUUM ANALYZE rules"); err != nil {
		return 0, err
	}
	return size, conn.QueryRow(ctx, "SELECT pg_total_relation_size('rules')").Scan(&size)
}

// redisPipeline is how many numbers go to Redis at a time where they are pipelined.
const redisPipeline = 100

func newRedis(ctx context.Context, b *bench, c *carrier) (*peer, error) { return redisPeer(ctx, c, 1) }

func newRedisPipeline(ctx context.Context, b *bench, c *carrier) (*peer, error) {
	return redisPeer(ctx, c, redisPipeline)
}

// redisPeer asks for the keys of all prefixes of each number, some numbers at a time.
func redisPeer(ctx context.Context, c *carrier, atOnce int) (_ *peer, err error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("%w: redis-server is not installed (./task setup)", errMissing)
	}
	s, err := newServer(true)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	var client rueidis.Client
	socket := filepath.Join(s.dir, "redis")
	connect := func(context.Context) (err error) {
		client, err = rueidis.NewClient(rueidis.ClientOption{
			InitAddress: []string{"127.0.0.1:0"}, DisableCache: true, ForceSingleClient: true,
			DialCtxFn: func(ctx context.Context, _ string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
				return d.DialContext(ctx, "unix", socket)
			},
		})
		return err
	}
	if err := s.start(ctx, connect, program, "--port", "0", "--unixsocket", socket, "--dir", s.dir, "--save", "", "--appendonly", "no"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			client.Close()
		}
	}()
	start := time.Now()
	size, err := fillRedis(ctx, client, c)
	if err != nil {
		return nil, err
	}
	p := &peer{built: time.Since(start), bytes: size, elapsed: true}
	some := make(rueidis.Commands, 0, atOnce)
	var prefixes []string
	lookup := func(ctx context.Context, numbers []e164.Number, found func(rule string)) error {
		some = some[:0]
		for _, number := range numbers {
			prefixes = prefixesOf(number, prefixes)
			some = append(some, client.B().Mget().Key(prefixes...).Build())
		}
		for _, answer := range client.DoMulti(ctx, some...) {
			values, err := answer.ToArray()
			if err != nil {
				return err
			}
			at := slices.IndexFunc(values, func(v rueidis.RedisMessage) bool { return !v.IsNil() })
			if at < 0 {
				return errNoRule
			}
			rule, err := values[at].ToString()
			if err != nil {
				return err
			}
			found(rule)
		}
		return nil
	}
	p.find = func(ctx context.Context, number e164.Number) (prefix string, err error) {
		err = lookup(ctx, []e164.Number{number}, func(rule string) {
			i, _ := strconv.Atoi(rule) // we wrote it
			prefix = c.prefixes[i]
		})
		return prefix, err
	}
	p.all = func(ctx context.Context, numbers []e164.Number) (n int, err error) {
		for part := range slices.Chunk(numbers, atOnce) {
			if ctx.Err() != nil && n > 0 {
				return n, nil
			}
			if err := lookup(context.WithoutCancel(ctx), part, func(string) { n++ }); err != nil {
				return n, err
			}
		}
		return n, nil
	}
	p.stop = func() error {
		client.Close()
		return s.stop()
	}
	return p, nil
}

func fillRedis(ctx context.Context, client rueidis.Client, c *carrier) (size int64, err error) {
	before, err := redisMemory(ctx, client)
	if err != nil {
		return 0, err
	}
	const chunk = 1000
	for at := 0; at < len(c.prefixes); at += chunk {
		var some rueidis.Commands
		for i := at; i < min(at+chunk, len(c.prefixes)); i++ {
			some = append(some, client.B().Set().Key(c.prefixes[i]).Value(strconv.Itoa(i)).Build())
		}
		for _, answer := range client.DoMulti(ctx, some...) {
			if err := answer.Error(); err != nil {
				return 0, err
			}
		}
	}
	after, err := redisMemory(ctx, client)
	return after - before, err
}

// redisMemory is what the server says that its data takes.
func redisMemory(ctx context.Context, client rueidis.Client) (int64, error) {
	info, err := client.Do(ctx, client.B().Info().Section("memory").Build()).ToString()
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "used_memory:"); ok {
			return strconv.ParseInt(value, 10, 64)
		}
	}
	return 0, errors.New("redis does not tell its memory")
}
