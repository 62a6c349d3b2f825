package accessfx

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/access"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
)

func limitsOf(c access.LimitConfig) *Limits {
	return &Limits{
		limiter:   access.NewLimiter(c.Limits(), nil, clock.NewFake(clock.System().Now()).Now),
		inFlight:  access.NewInFlight(c.InFlight()),
		admission: access.NewAdmission(c.Admission()),
	}
}

func TestAnItemOfABatchCountsAsACall(t *testing.T) {
	const batchSelect = "/trunkline.routing.v1.RoutingService/BatchSelectOperators"
	who := caller.Caller{Name: "key:a"}
	for _, c := range []struct {
		name        string
		items       int
		development bool
		refused     bool
	}{
		{name: "as many items as calls are allowed", items: 10},
		{name: "one more after a call", items: 11, refused: true},
		{name: "one more in development", items: 11, development: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := Config{Development: c.development, Limits: access.LimitConfig{PerPrincipal: access.Limit{Rate: 0.001, Burst: 11}}}
			l := limitsOf(config.Limits)
			admit, enter := newAdmit(config, l), newEnter(config, l)
			for _, message := range []any{nil, &routingv1.BatchSelectOperatorsRequest{Requests: make([]*routingv1.SelectOperatorRequest, c.items)}} {
				_, err := admit(t.Context(), who, batchSelect)
				require.NoError(t, err)
				_, err = enter(t.Context(), who, batchSelect, message)
				require.Equal(t, c.refused && message != nil, fault.Is(err, access.ReasonRateLimited), "%v", err)
			}
			require.Equal(t, map[bool]int{true: 1, false: 2}[c.refused], l.admission.InFlight(), "who is refused takes no place")
		})
	}
}

func TestSlowCallersLeaveThePlacesToOthers(t *testing.T) {
	config := Config{Limits: access.LimitConfig{MaxInFlight: 2, MaxInFlightPerPrincipal: 3}}
	l := limitsOf(config.Limits)
	admit, enter := newAdmit(config, l), newEnter(config, l)
	slow, other := caller.Caller{Name: "key:slow", Account: uuid.New()}, caller.Caller{Name: "key:other"}
	var leave func()
	for range 3 {
		var err error
		leave, err = admit(t.Context(), slow, "")
		require.NoError(t, err)
	}
	_, err := admit(t.Context(), slow, "")
	require.True(t, fault.Is(err, access.ReasonTooManyInFlight))
	_, err = admit(t.Context(), caller.Caller{Name: "key:second", Account: slow.Account}, "")
	require.True(t, fault.Is(err, access.ReasonTooManyInFlight), "another key of the account")
	require.Zero(t, l.admission.InFlight(), "before the message is there")

	_, err = admit(t.Context(), other, "")
	require.NoError(t, err)
	_, err = enter(t.Context(), other, "", nil)
	require.NoError(t, err)

	leave()
	_, err = admit(t.Context(), slow, "")
	require.NoError(t, err)
	config.Limits.MaxInFlightPerPrincipal = 4
	require.NoError(t, l.Set(config.Limits))
	_, err = admit(t.Context(), slow, "")
	require.NoError(t, err, "the limit was raised")
}

func TestWhoIsLimitedHasNoCallUnderWay(t *testing.T) {
	config := Config{Limits: access.LimitConfig{PerPrincipal: access.Limit{Rate: 0.001, Burst: 1}, MaxInFlightPerPrincipal: 2}}
	admit := newAdmit(config, limitsOf(config.Limits))
	who := caller.Caller{Name: "key:a"}
	_, err := admit(t.Context(), who, "")
	require.NoError(t, err)
	for range 5 {
		_, err = admit(t.Context(), who, "")
		require.True(t, fault.Is(err, access.ReasonRateLimited), "%v", err)
	}
}
