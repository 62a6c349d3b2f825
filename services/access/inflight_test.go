package access

import (
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
)

func requireCrowded(t *testing.T, err error, limit string) {
	t.Helper()
	f := fault.From(err)
	require.Equal(t, fault.ResourceExhausted, f.Kind)
	require.Equal(t, ReasonTooManyInFlight, f.Reason)
	require.Equal(t, limit, f.Metadata["limit"])
	require.Equal(t, inFlightRetry, f.RetryAfter)
}

func callOf(t *testing.T, f *InFlight, principal string, account uuid.UUID) func() {
	t.Helper()
	leave, err := f.Enter(principal, account)
	require.NoError(t, err)
	return leave
}

func TestACallerCrowdsOutNobodyElse(t *testing.T) {
	f := NewInFlight(2)
	leave := callOf(t, f, "a", uuid.Nil)
	callOf(t, f, "a", uuid.Nil)
	_, err := f.Enter("a", uuid.Nil)
	requireCrowded(t, err, LimitOfPrincipal)
	callOf(t, f, "b", uuid.Nil)
	leave()
	callOf(t, f, "a", uuid.Nil)
	_, err = f.Enter("a", uuid.Nil)
	requireCrowded(t, err, LimitOfPrincipal)

	f.SetLimit(3)
	callOf(t, f, "a", uuid.Nil)
	f.SetLimit(0)
	for range 10 {
		callOf(t, f, "a", uuid.Nil)
	}
}

func TestCallersOfAnAccountShareItsPlaces(t *testing.T) {
	f, account := NewInFlight(2), uuid.New()
	leave := callOf(t, f, "a", account)
	callOf(t, f, "b", account)
	_, err := f.Enter("c", account)
	requireCrowded(t, err, LimitOfAccount)
	callOf(t, f, "c", uuid.New())
	leave()
	callOf(t, f, "c", account)
}

func TestWhoHasNoCallUnderWayIsForgotten(t *testing.T) {
	f, account := NewInFlight(4), uuid.New()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 1000 {
				if leave, err := f.Enter("a", account); err == nil {
					leave()
				}
			}
		})
	}
	all.Wait()
	require.Empty(t, f.principals)
	require.Empty(t, f.accounts)
}

func TestACallerHasAQuarterOfThePlacesUnlessItIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		config LimitConfig
		want   int
	}{
		"a quarter":             {LimitConfig{MaxInFlight: 256}, 64},
		"enough to be of use":   {LimitConfig{MaxInFlight: 4}, 8},
		"another number":        {LimitConfig{MaxInFlight: 256, MaxInFlightPerPrincipal: 3}, 3},
		"no limit at all":       {LimitConfig{}, 0},
		"only that of a caller": {LimitConfig{MaxInFlightPerPrincipal: 3}, 3},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, c.config.InFlight()) })
	}
}
