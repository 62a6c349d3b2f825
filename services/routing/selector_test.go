package routing_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

func TestADecisionForgetsTheOneBefore(t *testing.T) {
	table := world(rule("44", routing.Priority, cand(opA, 1, 1, euro(1)), cand(opB, 2, 1, euro(1)))).Table()
	var d routing.Decision
	q := ask()
	require.NoError(t, table.Decide(&q, &d, nil))
	q.To = "+4915112345678"
	require.Equal(t, routing.ErrNoRoute, table.Decide(&q, &d, nil))
	require.Empty(t, d.Choices)
	require.Zero(t, d.Rule)
	require.Empty(t, d.Prefix)
	require.False(t, d.HealthUnknown)
}

type finder func(routing.Lookup) (*routing.Extract, routing.CacheResult, error)

func (f finder) Find(_ context.Context, l routing.Lookup) (*routing.Extract, routing.CacheResult, error) {
	return f(l)
}

func TestExtractsAskForTheNumberCutToTheLongestPrefix(t *testing.T) {
	rs := world(rule("447", routing.Cost, cand(opA, 1, 1, money.Money{}), cand(opB, 1, 1, dollar(4))))
	rs.Rates, rs.FX[routingtest.EUR], rs.FX[routingtest.USD] = []routing.Rate{rateOf(opA, "44", euro(3))}, 1, 1
	extract := &routing.Extract{Versions: routing.Versions{Config: 9}, Operators: rs.Operators, Rules: rs.Rules, Rates: rs.Rates, FX: rs.FX}
	view := routing.NewHealthView()
	view.Apply(routing.HealthEvent{Operator: opC, Bind: routing.Unbound, ObservedAt: routingtest.Now})
	var asked []routing.Lookup
	find := finder(func(l routing.Lookup) (*routing.Extract, routing.CacheResult, error) {
		asked = append(asked, l)
		return extract, routing.CacheHit, nil
	})
	states := &states{state: routing.State{Versions: routing.Versions{Config: 9}, Longest: 5}}
	s := routing.NewSelector(routing.NewExtracts(find, states, view))
	q := ask()
	var d routing.Decision
	require.Equal(t, routing.ErrNotReady, s.Select(t.Context(), &q, &d), "before the state is read")

	states.known = true
	require.NoError(t, s.Select(t.Context(), &q, &d))
	require.Equal(t, routing.CacheHit, d.Cache)
	require.Equal(t, []string{"0.000000003 EUR", "0.000000004 USD"}, routingtest.Describe(nil, &d).Prices)
	require.Equal(t, routing.Lookup{Account: account, Type: routing.SMS, Digits: "44791", Config: 9, Epoch: view.Epoch()}, asked[0])

	states.state.Longest = 15
	require.NoError(t, s.Select(t.Context(), &q, &d))
	require.Equal(t, "447911123456", asked[1].Digits, "a prefix may be longer than the number")
}

// states is what an engine knows of its store; Renew reads the next one.
type states struct {
	state   routing.State
	known   bool
	next    []routing.State
	err     error
	renewed []int64
}

func (s *states) State() (routing.State, bool) { return s.state, s.known }

func (s *states) Renew(_ context.Context, version int64) error {
	s.renewed = append(s.renewed, version)
	if len(s.next) > 0 {
		s.state, s.next = s.next[0], s.next[1:]
	}
	return s.err
}

func TestAnExtractOfAnotherVersionIsAskedForAgain(t *testing.T) {
	at := func(version int64, longest int) routing.State {
		return routing.State{Versions: routing.Versions{Config: version}, Longest: longest}
	}
	var asked []string
	find := finder(func(l routing.Lookup) (*routing.Extract, routing.CacheResult, error) {
		asked = append(asked, l.Digits)
		return &routing.Extract{Versions: routing.Versions{Config: 4}}, routing.CacheMiss, nil
	})
	s := &states{state: at(3, 2), known: true, next: []routing.State{at(4, 6)}}
	table, _, err := routing.NewExtracts(find, s, routing.NewHealthView()).Table(t.Context(), &routing.Query{To: "+447911123456"})
	require.NoError(t, err)
	require.EqualValues(t, 4, table.Versions().Config)
	require.Equal(t, []string{"44", "447911"}, asked, "the number is cut by the state of the same version")
	require.Equal(t, []int64{4}, s.renewed)

	s = &states{state: at(5, 2), known: true}
	_, _, err = routing.NewExtracts(find, s, routing.NewHealthView()).Table(t.Context(), &routing.Query{To: "+447911123456"})
	require.True(t, fault.Is(err, routing.ReasonMoving), "a store that stays behind is UNAVAILABLE, never wrong")

	s = &states{state: at(3, 2), known: true, err: routing.ErrNotReady}
	_, _, err = routing.NewExtracts(find, s, routing.NewHealthView()).Table(t.Context(), &routing.Query{To: "+447911123456"})
	require.Equal(t, routing.ErrNotReady, err)
}

func TestAFailureOfTheSourceIsPassedOn(t *testing.T) {
	down := fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "down")
	find := finder(func(routing.Lookup) (*routing.Extract, routing.CacheResult, error) { return nil, 0, down })
	s := routing.NewSelector(routing.NewExtracts(find, &states{known: true}, routing.NewHealthView()))
	q := ask()
	var d routing.Decision
	require.True(t, errors.Is(s.Select(t.Context(), &q, &d), down))
	require.NotZero(t, d.ID, "even a failed decision has an id")
}

func TestParseQuery(t *testing.T) {
	good := func() (string, string, routing.MessageType, string, []string) {
		return "+447911123456", account.String(), routing.SMS, "m", []string{opA.String()}
	}
	to, acc, kind, id, exclude := good()
	q, err := routing.ParseQuery(to, acc, kind, id, exclude)
	require.NoError(t, err)
	require.Equal(t, account, q.Account)
	require.Equal(t, "+447911…", q.To.String(), "a number prints itself masked")

	long := make([]byte, 129)
	many := make([]string, 33)
	tests := []struct {
		name   string
		call   func() (routing.Query, error)
		fields []string
	}{
		{"no number", func() (routing.Query, error) { return routing.ParseQuery("", acc, kind, id, nil) }, []string{"to"}},
		{"a leading zero", func() (routing.Query, error) { return routing.ParseQuery("+0447911123456", acc, kind, id, nil) }, []string{"to"}},
		{"16 digits", func() (routing.Query, error) { return routing.ParseQuery("+4479111234567890", acc, kind, id, nil) }, []string{"to"}},
		{"an account of zeros", func() (routing.Query, error) {
			return routing.ParseQuery(to, "00000000-0000-0000-0000-000000000000", kind, id, nil)
		}, []string{"accountId"}},
		{"an account in braces", func() (routing.Query, error) { return routing.ParseQuery(to, "{"+acc+"}", kind, id, nil) }, []string{"accountId"}},
		{"an unknown message type", func() (routing.Query, error) { return routing.ParseQuery(to, acc, 9, id, nil) }, []string{"messageType"}},
		{"a long message id", func() (routing.Query, error) { return routing.ParseQuery(to, acc, kind, string(long), nil) }, []string{"messageId"}},
		{"too many exclusions", func() (routing.Query, error) { return routing.ParseQuery(to, acc, kind, id, many) }, []string{"excludeOperatorIds"}},
		{"an exclusion that is no UUID", func() (routing.Query, error) {
			return routing.ParseQuery(to, acc, kind, id, []string{opA.String(), "x"})
		}, []string{"excludeOperatorIds[1]"}},
		{"everything at once", func() (routing.Query, error) { return routing.ParseQuery("x", "", 0, "", nil) }, []string{"to", "accountId", "messageType"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.call()
			f := fault.From(err)
			require.Equal(t, fault.InvalidArgument, f.Kind)
			require.Equal(t, routing.ReasonValidation, f.Reason)
			var fields []string
			for _, v := range f.Violations {
				fields = append(fields, v.Field)
			}
			require.Equal(t, tt.fields, fields)
			require.NotContains(t, err.Error(), "447911", "the number is not repeated")
		})
	}
}

func TestDecisionIDsGrowWithTime(t *testing.T) {
	a, b := routing.NewDecisionID(routingtest.Now), routing.NewDecisionID(routingtest.Now.Add(time.Millisecond))
	require.Less(t, a.String(), b.String())
	require.Equal(t, "RFC4122", a.Variant().String())
}

func TestStoredNames(t *testing.T) {
	require.Equal(t, routing.NewMessageTypes(routing.SMS, routing.WAP), routing.ParseMessageTypes("SMS,WAP"))
	require.Equal(t, routing.NewMessageTypes(routing.SMS), routing.ParseMessageTypes("SMS,VOICE"), "an unknown name is left out")
	require.Zero(t, routing.ParseMessageTypes(""))
	require.Equal(t, "SMS,FLASH,WAP", routing.AllMessageTypes.String())
	require.Equal(t, "UNSPECIFIED", routing.MessageType(0).String())
	for text, want := range map[string]routing.Status{"ACTIVE": routing.StatusActive, "INACTIVE": routing.StatusInactive, "SUSPENDED": routing.StatusSuspended, "x": routing.StatusUnknown} {
		require.Equal(t, want, routing.ParseStatus(text))
	}
	for text, want := range map[string]routing.Strategy{"COST": routing.Cost, "PRIORITY": routing.Priority, "FAILOVER": routing.Failover, "WEIGHTED": routing.Weighted, "x": 0} {
		require.Equal(t, want, routing.ParseStrategy(text))
	}
}

type changing struct{ tables []*routing.Table }

func (c *changing) Table(context.Context, *routing.Query) (*routing.Table, routing.CacheResult, error) {
	t := c.tables[0]
	c.tables = c.tables[1:]
	return t, routing.CacheBypass, nil
}

func TestABatchIsAnsweredByOneTable(t *testing.T) {
	rs := world(rule("44", routing.Priority, cand(opA, 1, 1, euro(1))))
	older, newer := rs.TableWith(rs.View(), routing.Versions{Config: 1}), rs.TableWith(rs.View(), routing.Versions{Config: 2})
	s := routing.NewSelector(&changing{tables: []*routing.Table{older, newer, newer}})
	q := ask(func(q *routing.Query) { q.Batch = new(routing.Batch) })
	var d routing.Decision
	for range 3 {
		require.NoError(t, s.Select(t.Context(), &q, &d))
		require.EqualValues(t, 1, d.Versions.Config)
		require.Equal(t, routing.CacheBypass, d.Cache)
	}
	q.Batch = nil
	require.NoError(t, s.Select(t.Context(), &q, &d))
	require.EqualValues(t, 2, d.Versions.Config, "a question alone is answered by what is in force")
	q.Batch = new(routing.Batch)
	require.NoError(t, s.Select(t.Context(), &q, &d))
	require.EqualValues(t, 2, d.Versions.Config)
}

func TestABatchOfLookupsAsksForEachNumber(t *testing.T) {
	rs := world(rule("44", routing.Priority, cand(opA, 1, 1, euro(1))))
	asked := 0
	find := finder(func(routing.Lookup) (*routing.Extract, routing.CacheResult, error) {
		asked++
		return &routing.Extract{Versions: routing.Versions{Config: 9}, Operators: rs.Operators, Rules: rs.Rules}, routing.CacheBypass, nil
	})
	s := routing.NewSelector(routing.NewExtracts(find, &states{state: routing.State{Versions: routing.Versions{Config: 9}, Longest: 5}, known: true}, rs.View()))
	q := ask(func(q *routing.Query) { q.Batch = new(routing.Batch) })
	var d routing.Decision
	for want := range 3 {
		require.NoError(t, s.Select(t.Context(), &q, &d))
		require.Equal(t, want+1, asked, "what concerns one number does not answer another")
	}
}
