package database_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
)

type partitionKit struct {
	kit
	partitions *database.Partitions
	reg        *prometheus.Registry
	health     *database.Health
	operator   uuid.UUID
}

func newPartitionKit(t *testing.T, k kit) partitionKit {
	t.Helper()
	p := partitionKit{kit: k, reg: prometheus.NewRegistry()}
	p.partitions = newPartitions(t, k, p.reg)
	var ids []uuid.UUID
	p.health, ids = healthKit(t, k)
	p.operator = ids[0]
	k.clock.Set(noon)
	return p
}

func newPartitions(t *testing.T, k kit, reg prometheus.Registerer) *database.Partitions {
	t.Helper()
	p, err := database.NewPartitions(k.db, database.DefaultPartitionConfig(), k.clock, reg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return p
}

func onPostgres(t *testing.T) partitionKit {
	t.Helper()
	return newPartitionKit(t, newKit(t, bunstoretest.Postgres(t, migrations.Postgres), migrations.Postgres, "postgres"))
}

func (p partitionKit) names(t *testing.T) (names []string) {
	t.Helper()
	require.NoError(t, p.db.NewRaw("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'health_transitions'::regclass").Scan(t.Context(), &names))
	slices.Sort(names)
	return names
}

// count counts the rows of a table, of it alone.
func (p partitionKit) count(t *testing.T, table string) (n int) {
	t.Helper()
	require.NoError(t, p.db.NewRaw("SELECT count(*) FROM ?", bun.Ident(table)).Scan(t.Context(), &n))
	return n
}

func (p partitionKit) ahead(t *testing.T) int {
	t.Helper()
	families, err := p.reg.Gather()
	require.NoError(t, err)
	require.Equal(t, "ops_health_partition_months_ahead", families[0].GetName())
	return int(families[0].GetMetric()[0].GetGauge().GetValue())
}

func (p partitionKit) write(t *testing.T, at time.Time) {
	t.Helper()
	h, _, err := p.health.Health(t.Context(), p.operator)
	require.NoError(t, err)
	put(t, p.health, p.operator, h.Version+1, at)
}

func TestPartitionsAreMadeAheadAndCounted(t *testing.T) {
	p := onPostgres(t)
	require.Equal(t, []string{"health_transitions_default"}, p.names(t))
	require.Zero(t, p.ahead(t))
	require.NoError(t, p.partitions.Ensure(t.Context(), noon))
	want := []string{"health_transitions_2026_11", "health_transitions_2026_12", "health_transitions_2027_01", "health_transitions_default"}
	require.Equal(t, want, p.names(t))
	require.Equal(t, 3, p.ahead(t))
	require.NoError(t, p.partitions.Ensure(t.Context(), noon))
	require.Equal(t, want, p.names(t))

	for _, at := range []time.Time{time.Date(2026, 11, 30, 23, 59, 59, 999999000, time.UTC), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)} {
		p.write(t, at)
	}
	require.Equal(t, []int{1, 1, 0, 1}, []int{p.count(t, want[0]), p.count(t, want[1]), p.count(t, want[2]), p.count(t, want[3])})

	// Nobody makes partitions any more.
	for _, tt := range []struct {
		at   time.Time
		want int
	}{{time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), 2}, {time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), 1}, {time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC), 0}} {
		p.clock.Set(tt.at)
		require.Equal(t, tt.want, p.ahead(t))
	}
	_, err := database.NewPartitions(p.db, database.DefaultPartitionConfig(), p.clock, p.reg, slog.New(slog.DiscardHandler))
	require.Error(t, err, "the metric is registered once")
}

func TestRowsOfTheDefaultPartitionMoveToTheirMonth(t *testing.T) {
	p := onPostgres(t)
	for range 3 {
		p.write(t, noon)
	}
	p.write(t, noon.AddDate(0, 1, 0))
	p.write(t, noon.AddDate(0, 7, 0))
	before, _, _, err := p.health.ListTransitions(t.Context(), operators.TransitionFilter{Limit: 10})
	require.NoError(t, err)
	require.NoError(t, p.partitions.Ensure(t.Context(), noon))
	require.Equal(t, []int{3, 1, 0, 1}, []int{
		p.count(t, "health_transitions_2026_11"), p.count(t, "health_transitions_2026_12"), p.count(t, "health_transitions_2027_01"), p.count(t, "health_transitions_default"),
	})
	after, _, _, err := p.health.ListTransitions(t.Context(), operators.TransitionFilter{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, before, after)
	indexes := 0
	require.NoError(t, p.db.NewRaw("SELECT count(*) FROM pg_inherits AS i JOIN pg_index AS x ON x.indexrelid = i.inhrelid WHERE x.indrelid = 'health_transitions_2026_11'::regclass").Scan(t.Context(), &indexes))
	require.Positive(t, indexes, "the indexes of the table reach into the partition")
}

// Writers never fail for a partition that is being made: they go to the default one until it is there.
func TestInsertsGoOnWhileReplicasMakePartitions(t *testing.T) {
	p := onPostgres(t)
	other := newPartitions(t, p.kit, prometheus.NewRegistry())
	ctx, cancel := context.WithCancel(t.Context())
	type result struct {
		written int
		err     error
	}
	done := make(chan result)
	started := make(chan struct{})
	go func() {
		var r result
		for ; ctx.Err() == nil && r.err == nil; r.written++ {
			if r.written == 1 {
				close(started)
			}
			next, transition := change(p.operator, int64(r.written)+1, operators.Bound, operators.Healthy, noon.AddDate(0, r.written%24, 0))
			r.err = p.health.ChangeHealth(context.WithoutCancel(ctx), next, int64(r.written), transition)
		}
		done <- r
	}()
	<-started
	for month := range 24 {
		results := make(chan error)
		for _, one := range []*database.Partitions{p.partitions, other} {
			go func() { results <- one.Ensure(t.Context(), noon.AddDate(0, month, 0)) }()
		}
		require.NoError(t, <-results)
		require.NoError(t, <-results)
	}
	cancel()
	r := <-done
	require.NoError(t, r.err)
	require.NotZero(t, r.written)
	page, _, _, err := p.health.ListTransitions(t.Context(), operators.TransitionFilter{Limit: 1000, From: noon.AddDate(0, 11, 0)})
	require.NoError(t, err)
	require.NotEmpty(t, page)
}

func TestOldMonthsAreDropped(t *testing.T) {
	p := onPostgres(t)
	for _, at := range []time.Time{noon.AddDate(-2, 0, 0), noon} {
		require.NoError(t, p.partitions.Ensure(t.Context(), at))
		p.write(t, at)
	}
	require.Equal(t, []string{"health_transitions_2026_11", "health_transitions_2026_12", "health_transitions_2027_01", "health_transitions_default"}, p.names(t))
	require.Equal(t, 1, p.count(t, "health_transitions"))

	p.write(t, time.Date(2025, 9, 30, 23, 59, 59, 0, time.UTC))
	p.write(t, time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC))
	require.NoError(t, p.partitions.Ensure(t.Context(), noon))
	require.Equal(t, 2, p.count(t, "health_transitions"), "13 whole months before the present one stay, in the default partition too")
	require.NoError(t, p.partitions.Ensure(t.Context(), time.Date(2027, 12, 1, 0, 0, 0, 0, time.UTC)))
	require.Equal(t, 1, p.count(t, "health_transitions"))
	require.Contains(t, p.names(t), "health_transitions_2026_11")
	require.NoError(t, p.partitions.Ensure(t.Context(), time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)))
	require.Zero(t, p.count(t, "health_transitions"))
	require.NotContains(t, p.names(t), "health_transitions_2026_11")
}

func TestOldRowsAreDeletedOnSQLite(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		if bunstore.DialectOf(k.db) != bunstore.SQLite {
			return
		}
		p := newPartitionKit(t, k)
		for _, at := range []time.Time{noon.AddDate(-2, 0, 0), time.Date(2025, 9, 30, 23, 59, 59, 0, time.UTC), time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC), noon} {
			p.write(t, at)
		}
		require.NoError(t, p.partitions.Ensure(t.Context(), noon))
		require.Equal(t, 2, p.count(t, "health_transitions"))
		require.Zero(t, testutil.CollectAndCount(p.reg), "there are no months to count")
	})
}

// The role that operator-management runs as owns nothing, unless its administrator has said so.
func TestWithoutTheRightToMakePartitionsTheLogGoesOn(t *testing.T) {
	server := pgtest.Start(t)
	admin := newPartitionKit(t, newKit(t, server.URL(), migrations.Postgres, "postgres"))
	pgtest.Exec(t, server.URL(), "CREATE ROLE trunkline_ops LOGIN", "GRANT USAGE ON SCHEMA ops_routing TO trunkline_ops",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ops_routing TO trunkline_ops")
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(strings.Replace(server.URL(), "postgres@", "trunkline_ops@", 1))
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	p := admin
	p.db, p.reg = db, prometheus.NewRegistry()
	p.partitions, p.health = newPartitions(t, p.kit, p.reg), database.NewHealth(db, bunstore.NewReader(db))

	requireFault(t, p.partitions.Ensure(t.Context(), noon), fault.FailedPrecondition, bunstore.ReasonDenied)
	require.Zero(t, p.ahead(t))
	p.write(t, noon)
	require.Equal(t, 1, admin.count(t, "health_transitions_default"))

	pgtest.Exec(t, server.URL(), "GRANT CREATE ON SCHEMA ops_routing TO trunkline_ops",
		"ALTER TABLE ops_routing.health_transitions OWNER TO trunkline_ops",
		"ALTER TABLE ops_routing.health_transitions_default OWNER TO trunkline_ops")
	require.NoError(t, p.partitions.Ensure(t.Context(), noon))
	require.Equal(t, 3, p.ahead(t))
	p.write(t, noon)
	require.Equal(t, 2, admin.count(t, "health_transitions_2026_11"))
}

func TestThePartitionsAreLookedAfterUntilTheProcessEnds(t *testing.T) {
	p := onPostgres(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.partitions.Run(ctx)
	}()
	require.Eventually(t, func() bool { return p.ahead(t) == 3 }, 15*time.Second, 10*time.Millisecond)
	cancel()
	<-done
}

func TestPartitionsAreMadeWhenTheServerIsBack(t *testing.T) {
	server := pgtest.Start(t)
	p := newPartitionKit(t, newKit(t, server.URL(), migrations.Postgres, "postgres"))
	server.Kill(t)
	requireFault(t, p.partitions.Ensure(t.Context(), noon), fault.Unavailable, bunstore.ReasonUnavailable)
	require.Zero(t, p.ahead(t))
	server.Restart(t)
	require.NoError(t, p.partitions.Ensure(t.Context(), noon))
	require.Equal(t, 3, p.ahead(t))
}

func TestTheTimeThatTheLogIsKeptIsChecked(t *testing.T) {
	require.NoError(t, database.DefaultPartitionConfig().Validate())
	for _, months := range []int{0, 121} {
		require.ErrorContains(t, database.PartitionConfig{KeepMonths: months}.Validate(), "keep_months")
	}
}
