package operators_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
)

func TestASweepTakesWhatNoRowNamesAndIsOldEnough(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		kept := d.create(t, alphaOperator())
		bare, err := d.admin.CreateOperator(t.Context(), someone, operatorNamed("Bare"), secret.Text{})
		require.NoError(t, err)
		orphan := uuid.New()
		for _, id := range []uuid.UUID{orphan, kept.ID, bare.ID} {
			_, err := d.vault.Put(t.Context(), id, canaryText)
			require.NoError(t, err)
		}
		d.clock.Advance(operators.OrphanAge)
		require.Zero(t, d.swept(t))
		// A second password of the orphan makes it young again.
		d.clock.Advance(time.Second)
		_, err = d.vault.Put(t.Context(), orphan, canaryText)
		require.NoError(t, err)
		require.Equal(t, 2, d.swept(t))
		require.Equal(t, map[int64]string{1: canary}, d.vault.passwords(kept.ID))
		require.Empty(t, d.vault.passwords(bare.ID))
		require.Len(t, d.vault.passwords(orphan), 2)
		d.clock.Advance(operators.OrphanAge + time.Second)
		require.Equal(t, 1, d.swept(t))
		require.NotContains(t, d.vault.holders(), orphan)
		d.noCanary(t)
	})
}

func TestASweepTakesNothingOnAReplicasWord(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		orphan := uuid.New()
		_, err := d.vault.Put(t.Context(), orphan, canaryText)
		require.NoError(t, err)
		d.clock.Advance(time.Hour)
		d.store.stale = true
		require.Zero(t, d.swept(t))
		require.Equal(t, []uuid.UUID{orphan}, d.vault.holders())
		d.store.stale = false
		for _, operation := range []string{"list", "remove"} {
			d.vault.breakOn(operation, func(func()) error { return errVault })
			taken, err := d.sweep.Sweep(t.Context())
			wantFault(t, err, fault.Unavailable, operators.ReasonVault)
			require.Zero(t, taken)
		}
		d.heal()
		require.Equal(t, 1, d.swept(t))
	})
}

// listing counts how often it is asked.
type listing struct {
	operators.CredentialsKeeper
	asked []time.Duration
	since time.Time
}

func (l *listing) List(context.Context) ([]operators.StoredCredentials, error) {
	l.asked = append(l.asked, time.Since(l.since))
	return nil, errVault
}

type nobody struct{}

func (nobody) LiveOperators(context.Context) ([]operators.Operator, operators.Freshness, error) {
	return nil, operators.Freshness{}, nil
}

func TestSweepsComeAtOnceAndEveryFiveMinutesAlsoWhenOneFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &listing{since: time.Now()}
		o := operators.NewOrphans(nobody{}, l, time.Now, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			o.Run(ctx)
		}()
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		require.Equal(t, []time.Duration{0, 5 * time.Minute, 10 * time.Minute}, l.asked)
		cancel()
		<-done
	})
}

// entries is a secret store that counts what is removed.
type entries struct {
	all     []operators.StoredCredentials
	removed int
}

func (k *entries) List(context.Context) ([]operators.StoredCredentials, error) { return k.all, nil }
func (k *entries) Drop(context.Context, uuid.UUID, int64) error                { return nil }
func (k *entries) Remove(context.Context, uuid.UUID) error {
	k.removed++
	return nil
}

func TestASweepDoesNotBelieveADatabaseThatKnowsNobody(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct{ stored, removed int }{
		"a few left over are removed":                  {10, 10},
		"more than a few, and of all, are not":         {11, 0},
		"five hundred passwords and an empty database": {500, 0},
	} {
		t.Run(name, func(t *testing.T) {
			k := &entries{}
			for range c.stored {
				k.all = append(k.all, operators.StoredCredentials{OperatorID: uuid.New(), UpdatedAt: now.Add(-time.Hour)})
			}
			taken, err := operators.NewOrphans(nobody{}, k, func() time.Time { return now }, slog.New(slog.DiscardHandler)).Sweep(t.Context())
			require.NoError(t, err)
			require.Equal(t, []int{c.removed, c.removed}, []int{taken, k.removed})
		})
	}
}
