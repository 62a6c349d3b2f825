package operators_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
)

// listed gives the names of a whole list, page by page.
func (d *desk) listed(t *testing.T, filter operators.OperatorFilter) []string {
	t.Helper()
	names := []string{}
	for {
		page, more, fresh, err := d.admin.ListOperators(t.Context(), filter)
		require.NoError(t, err)
		require.Zero(t, fresh)
		for _, o := range page {
			names = append(names, o.Name)
			filter.AfterName, filter.AfterID = o.Name, o.ID
		}
		if !more {
			return names
		}
		require.Len(t, page, filter.Limit)
	}
}

func TestOperatorsAreListedByNameAndFilter(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		for _, name := range []string{"Beta", "Alpha", "Delta", "Gamma"} {
			d.create(t, operatorNamed(name))
		}
		names := []string{"Zulu", "100% pure", "a_b", "axb", "Wow!"}
		for i, name := range names {
			o := operatorNamed("host" + string(rune('a'+i)))
			o.Name = name
			d.create(t, o)
		}
		// Three operators with one name, of which two are deleted.
		for range 3 {
			o := d.create(t, operatorNamed("Twin"))
			if _, _, err := d.admin.DeleteOperator(t.Context(), someone, operators.Target{ID: o.ID}); err != nil {
				t.Fatal(err)
			}
		}
		active := d.activate(t, d.create(t, operatorNamed("Twin")))
		require.Equal(t, "Twin", active.Name)
		suspended := d.activate(t, d.create(t, operatorNamed("Later")))
		_, _, err := d.admin.SuspendOperator(t.Context(), someone, operators.Target{ID: suspended.ID})
		require.NoError(t, err)

		all := d.listed(t, operators.OperatorFilter{Limit: 1000})
		require.Len(t, all, 11)
		for _, size := range []int{1, 2, 3} {
			require.Equal(t, all, d.listed(t, operators.OperatorFilter{Limit: size}))
		}
		deleted := d.listed(t, operators.OperatorFilter{Limit: 2, ShowDeleted: true})
		require.Len(t, deleted, 14)
		twins := 0
		for _, name := range deleted {
			if name == "Twin" {
				twins++
			}
		}
		require.Equal(t, 4, twins, "no page boundary loses one of several with one name")

		for _, c := range []struct {
			name   string
			filter operators.OperatorFilter
			want   []string
		}{
			{"text in a name, in any case", operators.OperatorFilter{Search: "TWI"}, []string{"Twin"}},
			{"text in a host, in any case", operators.OperatorFilter{Search: "HOSTA.EX"}, []string{"Zulu"}},
			{"text in a system_id, in any case", operators.OperatorFilter{Search: "HostB"}, []string{"100% pure"}},
			{"a percent sign stands for itself", operators.OperatorFilter{Search: "%"}, []string{"100% pure"}},
			{"an underscore stands for itself", operators.OperatorFilter{Search: "_"}, []string{"a_b"}},
			{"an exclamation mark stands for itself", operators.OperatorFilter{Search: "!"}, []string{"Wow!"}},
			{"a quote finds nothing and does no harm", operators.OperatorFilter{Search: `' OR 1=1 --\`}, []string{}},
			{"a question mark finds nothing", operators.OperatorFilter{Search: "?0"}, []string{}},
			{"one status", operators.OperatorFilter{Statuses: []operators.Status{operators.Suspended}}, []string{"Later"}},
			{"two statuses", operators.OperatorFilter{Statuses: []operators.Status{operators.Suspended, operators.Active}}, []string{"Later", "Twin"}},
			{"everything at once", operators.OperatorFilter{
				Search: "twin", Statuses: []operators.Status{operators.Inactive}, ShowDeleted: true,
			}, []string{"Twin", "Twin", "Twin"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				c.filter.Limit = 1
				require.Equal(t, c.want, d.listed(t, c.filter))
			})
		}
	})
}

func TestOperatorsAreListedByTheStateOfTheirSessions(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		health := database.NewHealth(d.db, bunstore.NewReader(d.db))
		fresh, old := d.clock.Now().Add(-operators.HealthTTL), d.clock.Now().Add(-operators.HealthTTL-time.Millisecond)
		for i, c := range []struct {
			name    string
			bind    operators.BindState
			quality operators.Quality
			seen    time.Time
		}{
			{"Bound", operators.Bound, operators.Healthy, fresh},
			{"Bound before", operators.Bound, operators.Healthy, old},
			{"Failback", operators.Failback, operators.Degraded, fresh},
			{"Gone", operators.Unbound, operators.Unhealthy, fresh},
			{"Sick before", operators.Bound, operators.Unhealthy, old},
			{"Unbound before", operators.Unbound, operators.QualityUnknown, old},
		} {
			given := operatorNamed("host" + string(rune('a'+i)))
			given.Name = c.name
			o := d.create(t, given)
			next := operators.Health{OperatorID: o.ID, Bind: c.bind, Quality: c.quality, Version: 1, ChangedAt: c.seen, ObservedAt: c.seen}
			require.NoError(t, health.ChangeHealth(t.Context(), next, 0, nil))
			if c.name == "Gone" {
				_, _, err := d.admin.DeleteOperator(t.Context(), someone, operators.Target{ID: o.ID})
				require.NoError(t, err)
			}
		}
		d.create(t, operatorNamed("Never"))
		for _, c := range []struct {
			name   string
			states []operators.BindState
			want   []string
		}{
			{"bound", []operators.BindState{operators.Bound}, []string{"Bound", "Sick before"}},
			{"unbound", []operators.BindState{operators.Unbound}, []string{"Unbound before"}},
			{"bound or failback", []operators.BindState{operators.Bound, operators.Failback}, []string{"Bound", "Failback", "Sick before"}},
			{"not known", []operators.BindState{operators.BindUnknown}, []string{"Bound before", "Gone", "Never"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				require.Equal(t, c.want, d.listed(t, operators.OperatorFilter{Limit: 1, ShowDeleted: true, BindStates: c.states}))
			})
		}
	})
}

func TestAListIsCheckedBeforeItIsRead(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		for _, c := range []struct {
			name, want string
			filter     operators.OperatorFilter
		}{
			{"no limit", "page_size must be a whole number from 1 to 1000", operators.OperatorFilter{}},
			{"a limit above the most", "page_size must be a whole number from 1 to 1000", operators.OperatorFilter{Limit: 1001}},
			{"a search that is too long", "search must be text of at most 100 characters",
				operators.OperatorFilter{Limit: 1, Search: strings.Repeat("é", 101)}},
			{"a search with a zero byte", "search must be text of at most 100 characters", operators.OperatorFilter{Limit: 1, Search: "\x00"}},
			{"a search that is no text", "search must be text of at most 100 characters", operators.OperatorFilter{Limit: 1, Search: "\xff"}},
			{"a status that does not exist", "statuses must be INACTIVE, ACTIVE or SUSPENDED",
				operators.OperatorFilter{Limit: 1, Statuses: []operators.Status{9}}},
			{"a bind state that does not exist", "bind_states must be UNKNOWN, BOUND, UNBOUND or FAILBACK",
				operators.OperatorFilter{Limit: 1, BindStates: []operators.BindState{9}}},
			{"a position that is no text", "page_token must be the next_page_token of the page before",
				operators.OperatorFilter{Limit: 1, AfterName: "\x00"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				_, _, _, err := d.admin.ListOperators(t.Context(), c.filter)
				require.Equal(t, []string{c.want}, violations(t, err))
			})
		}
		_, _, _, err := d.admin.ListOperators(t.Context(), operators.OperatorFilter{Limit: 1000, Search: strings.Repeat("é", 100)})
		require.NoError(t, err)
	})
}

func TestAChangeNeedsAnActorAndABoundedRequestID(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		_, err := d.admin.CreateOperator(t.Context(), operators.Request{}, alphaOperator(), canaryText)
		wantFault(t, err, fault.Internal, fault.ReasonInternal)
		_, _, err = d.admin.Credentials(t.Context(), operators.Request{}, deskID)
		wantFault(t, err, fault.Internal, fault.ReasonInternal)
		for _, id := range []string{strings.Repeat("é", 129), "\xff", "a\x00"} {
			_, err := d.admin.CreateOperator(t.Context(), askedAs(id), alphaOperator(), canaryText)
			require.Equal(t, []string{"request_id must have at most 128 characters"}, violations(t, err))
		}
		require.Zero(t, d.vault.puts)
		_, err = d.admin.CreateOperator(t.Context(), askedAs(strings.Repeat("é", 128)), alphaOperator(), canaryText)
		require.NoError(t, err)
	})
}
