package operators_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
	"trunkline/services/platform/secret"
)

// errCrash stands for the end of the process: nothing after it runs.
var errCrash = errors.New("the process died")

// crashing runs do and tells whether it ended by a crash.
func crashing(do func() error) (err error, crashed bool) { //nolint:revive // the error is what callers look at first
	defer func() {
		if r := recover(); r != nil {
			crashed = r == any(errCrash)
			if !crashed {
				panic(r)
			}
		}
	}()
	return do(), false
}

// fate is one way in which a change with a password can go wrong.
type fate struct {
	name string
	// break arranges it. The change uses transactions 1 (checks) and 2 (the change); a third settles a doubt.
	arrange func(d *desk)
	// crash tells that the process dies, stored that the change took effect, and ok that the caller is told so.
	crash, stored, ok bool
	// reason is what the caller is told otherwise.
	reason string
	// left tells that the password has to be swept.
	left bool
}

func unavailableAfter(run func(commit, undo func() error) error) func(commit, undo func() error) error {
	return func(commit, undo func() error) error {
		if err := run(commit, undo); err != nil {
			return err
		}
		return errLost
	}
}

// The ways of a transaction.
func committed(commit, _ func() error) error { return commit() }
func undone(_, undo func() error) error      { return undo() }
func never(_, _ func() error) error          { return errLost }

// after runs the second transaction in its way and every later one in another.
func after(second, later func(commit, undo func() error) error) func(commit, undo func() error) error {
	n := 0
	return func(commit, undo func() error) error {
		n++
		switch n {
		case 1:
			return commit()
		case 2:
			return second(commit, undo)
		}
		return later(commit, undo)
	}
}

// fates are those of creations and rotations alike. cleanup is the operation that takes the password away again.
func fates(cleanup string) []fate {
	return []fate{
		{name: "the secret store is down", reason: operators.ReasonVault,
			arrange: func(d *desk) { d.vault.breakOn("put", func(func()) error { return errVault }) }},
		{name: "the secret store stores the password and its answer is lost", reason: operators.ReasonVault, left: true,
			arrange: func(d *desk) { d.vault.breakOn("put", func(do func()) error { do(); return errVault }) }},
		{name: "the process dies before the password is stored", crash: true,
			arrange: func(d *desk) { d.vault.breakOn("put", func(func()) error { panic(errCrash) }) }},
		{name: "the process dies after the password is stored", crash: true, left: true,
			arrange: func(d *desk) { d.vault.breakOn("put", func(do func()) error { do(); panic(errCrash) }) }},
		{name: "the database is gone when the change begins", reason: bunstore.ReasonUnavailable,
			arrange: func(d *desk) { d.store.around = after(never, never) }},
		{name: "the database and the secret store are gone when the change begins", reason: bunstore.ReasonUnavailable, left: true,
			arrange: func(d *desk) {
				d.store.around = after(never, never)
				d.vault.breakOn(cleanup, func(func()) error { return errVault })
			}},
		{name: "the commit is lost", reason: bunstore.ReasonUnavailable,
			arrange: func(d *desk) { d.store.around = after(unavailableAfter(undone), committed) }},
		{name: "the commit is lost and the process dies", crash: true, left: true,
			arrange: func(d *desk) {
				d.store.around = after(func(_, undo func() error) error { _ = undo(); panic(errCrash) }, never)
			}},
		{name: "the commit is lost and the database stays away", reason: bunstore.ReasonUnavailable, left: true,
			arrange: func(d *desk) { d.store.around = after(unavailableAfter(undone), never) }},
		{name: "the answer to the commit is lost", stored: true, ok: true,
			arrange: func(d *desk) { d.store.around = after(unavailableAfter(committed), committed) }},
		{name: "the answer to the commit is lost and the database stays away", stored: true, reason: bunstore.ReasonUnavailable,
			arrange: func(d *desk) { d.store.around = after(unavailableAfter(committed), never) }},
		{name: "the process dies after the commit", crash: true, stored: true,
			arrange: func(d *desk) {
				d.store.around = after(func(commit, _ func() error) error { _ = commit(); panic(errCrash) }, never)
			}},
	}
}

// heal ends every fault.
func (d *desk) heal() {
	d.store.around = nil
	d.vault.mu.Lock()
	defer d.vault.mu.Unlock()
	d.vault.on = nil
}

// clear empties both stores, so that many cases can share one database. The audit log cannot be emptied.
func (d *desk) clear(t *testing.T) {
	t.Helper()
	for _, table := range []string{"operators", "outbox", "requests"} {
		_, err := d.db.NewRaw("DELETE FROM ?", bun.Ident(table)).Exec(t.Context())
		require.NoError(t, err)
	}
	d.vault.entries = map[uuid.UUID]*vaultEntry{}
}

// swept runs a sweep and returns how much it took away.
func (d *desk) swept(t *testing.T) int {
	t.Helper()
	taken, err := d.sweep.Sweep(t.Context())
	require.NoError(t, err)
	return taken
}

func TestACreationThatGoesWrongLeavesNothingHalfWritten(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		for _, f := range fates("remove") {
			t.Run(f.name, func(t *testing.T) {
				d.clear(t)
				other := d.create(t, operatorNamed("Other"))
				f.arrange(d)
				var created operators.Operator
				err, crashed := crashing(func() (err error) {
					created, err = d.admin.CreateOperator(t.Context(), askedAs("a"), alphaOperator(), canaryText)
					return err
				})
				d.heal()
				require.Equal(t, f.crash, crashed)
				switch {
				case f.crash:
				case f.ok:
					require.NoError(t, err)
					require.Equal(t, created, d.get(t, created.ID))
				default:
					wantFault(t, err, fault.Unavailable, f.reason)
				}

				live, _, err := d.store.LiveOperators(t.Context())
				require.NoError(t, err)
				require.Equal(t, f.stored, len(live) == 2)
				want := []uuid.UUID{other.ID}
				if f.stored {
					want = append(want, live[0].ID)
				}
				if f.left {
					require.Len(t, d.vault.holders(), 2, "the fault leaves a password behind")
					d.clock.Advance(15 * time.Minute)
					require.Zero(t, d.swept(t), "it may belong to a creation under way")
					d.clock.Advance(time.Second)
					require.Equal(t, 1, d.swept(t))
				}
				d.clock.Advance(time.Hour)
				require.Zero(t, d.swept(t))
				require.ElementsMatch(t, want, d.vault.holders())

				// The repeat of the request ends the matter, whatever was stored.
				again, err := d.admin.CreateOperator(t.Context(), askedAs("a"), alphaOperator(), canaryText)
				require.NoError(t, err)
				_, given, err := d.admin.Credentials(t.Context(), someone, again.ID)
				require.NoError(t, err)
				require.Equal(t, canary, given.Reveal())
				require.ElementsMatch(t, []uuid.UUID{other.ID, again.ID}, d.vault.holders())
				require.Equal(t, 2, d.count(t, "operators"))
				d.noCanary(t)
			})
		}
	})
}

func TestARotationThatGoesWrongLeavesTheFormerPasswordInForce(t *testing.T) {
	next := secret.New(canary + "-next")
	onBothStores(t, func(t *testing.T, d *desk) {
		for _, f := range fates("drop") {
			t.Run(f.name, func(t *testing.T) {
				d.clear(t)
				o := d.create(t, alphaOperator())
				d.clock.Advance(time.Hour)
				f.arrange(d)
				var rotated operators.Operator
				err, crashed := crashing(func() (err error) {
					rotated, err = d.admin.RotateCredentials(t.Context(), askedAs("a"), operators.Target{ID: o.ID, ETag: o.ETag()}, next)
					return err
				})
				d.heal()
				require.Equal(t, f.crash, crashed)
				switch {
				case f.crash:
				case f.ok:
					require.NoError(t, err)
					require.Equal(t, rotated, d.get(t, o.ID))
				default:
					wantFault(t, err, fault.Unavailable, f.reason)
				}

				want, versions := canary, map[int64]string{1: canary}
				if f.stored {
					want = next.Reveal()
					versions[2] = want
				} else {
					require.Equal(t, o, d.get(t, o.ID))
				}
				inForce := func(want string) {
					_, given, err := d.admin.Credentials(t.Context(), someone, o.ID)
					require.NoError(t, err)
					require.Equal(t, want, given.Reveal())
				}
				inForce(want)
				if f.left {
					require.Len(t, d.vault.passwords(o.ID), 2, "the fault leaves a password behind")
					d.clock.Advance(15 * time.Minute)
					require.Zero(t, d.swept(t), "it may belong to a rotation under way")
					d.clock.Advance(time.Second)
					require.Equal(t, 1, d.swept(t))
				}
				d.clock.Advance(time.Hour)
				require.Zero(t, d.swept(t))
				require.Equal(t, versions, d.vault.passwords(o.ID))
				inForce(want)

				again, err := d.admin.RotateCredentials(t.Context(), askedAs("a"), operators.Target{ID: o.ID, ETag: o.ETag()}, next)
				require.NoError(t, err)
				require.EqualValues(t, 2, again.Version, "it took effect once")
				inForce(next.Reveal())
				d.noCanary(t)
			})
		}
	})
}

func TestADeletionWhosePasswordCannotBeRemovedIsDoneAllTheSame(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		o := d.create(t, alphaOperator())
		d.vault.breakOn("remove", func(func()) error { return errVault })
		deleted, _, err := d.admin.DeleteOperator(t.Context(), someone, operators.Target{ID: o.ID})
		require.NoError(t, err)
		require.False(t, deleted.Live())
		d.heal()
		d.clock.Advance(time.Hour)
		require.Equal(t, 1, d.swept(t))
		require.Empty(t, d.vault.holders())
	})
}

func TestACallerWhoGoesAwayLeavesNothingHalfWritten(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		ctx, cancel := context.WithCancel(t.Context())
		d.vault.breakOn("put", func(do func()) error {
			do()
			cancel()
			return nil
		})
		_, err := d.admin.CreateOperator(ctx, someone, alphaOperator(), canaryText)
		require.Equal(t, fault.Canceled, fault.From(err).Kind)
		require.Empty(t, d.vault.holders(), "the password is removed although the caller is gone")
		require.Zero(t, d.count(t, "operators"))
	})
}

// The server itself dies between the password and the row.
func TestADatabaseServerThatDiesDuringACreationLeavesNothingHalfWritten(t *testing.T) {
	server := pgtest.Start(t)
	d := newDesk(t, server.URL(), "")
	d.vault.breakOn("put", func(do func()) error {
		do()
		server.Kill(t)
		return nil
	})
	_, err := d.admin.CreateOperator(t.Context(), askedAs("a"), alphaOperator(), canaryText)
	wantFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	require.Empty(t, d.vault.holders())
	_, _, err = d.admin.GetOperator(t.Context(), uuid.New())
	wantFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	taken, err := d.sweep.Sweep(t.Context())
	wantFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	require.Zero(t, taken)

	server.Restart(t)
	d.heal()
	o, err := d.admin.CreateOperator(t.Context(), askedAs("a"), alphaOperator(), canaryText)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{o.ID}, d.vault.holders())
}
