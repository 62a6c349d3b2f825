package database_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/platform/secret"
)

// alongside bounds what must not wait for an import.
const alongside = 15 * time.Second

// whileADeckIsHeld imports a deck and, when the first of its rates are written, does something else beside it.
func (k kit) whileADeckIsHeld(
	t *testing.T, r operators.Request, deck operators.Deck, beside func(ctx context.Context),
) (operators.RateDiff, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*alongside)
	defer cancel()
	held := 0
	diff, err := k.rateImporter().ImportRates(ctx, r, deck, func(done, total int64) {
		if total == heldRates && done == 1000 {
			held++
			beside(ctx)
		}
	})
	require.Equal(t, 1, held, "nothing makes the import begin again")
	return diff, err
}

// heldRates are more than one statement writes.
const heldRates = 2_500

func importedOnPostgres(t *testing.T) kit {
	t.Helper()
	k := newKit(t, bunstoretest.Postgres(t, migrations.Postgres), migrations.Postgres, "postgres")
	k.operators(t, three)
	return k
}

func TestOtherChangesGoOnWhileADeckIsStored(t *testing.T) {
	k := importedOnPostgres(t)
	admin := operators.NewAdmin(k.store, nil, k.told, k.clock.Now, slog.New(slog.DiscardHandler))
	rules := operators.NewRuleAdmin(k.store, k.told, k.clock.Now, money.Money{})
	k.deck(t, "44,1,EUR,,,,,\n")
	k.clock.Advance(time.Hour)
	alpha := k.id(t, "Alpha")
	before, rulesBefore := k.versions(t)
	events := len(k.events(t))
	deck := k.whole(t, manyRates(heldRates, 1))
	deck.Scope = operators.PartialDeck

	diff, err := k.whileADeckIsHeld(t, someone, deck, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, alongside)
		defer cancel()
		k.clock.Advance(time.Minute)
		_, err := admin.CreateOperator(ctx, someone, operators.Operator{
			Name: "Delta", Host: "d.example", Port: 2775, SystemID: "delta", BindType: operators.Transceiver, MaxTPS: 1, MessageTypes: operators.SMS,
		}, secret.Text{})
		require.NoError(t, err)
		// Of the very operator whose deck it is; and a rule whose check reads its rates.
		_, _, err = admin.UpdateOperator(ctx, someone, operators.Operator{ID: alpha, Notes: "new deck"}, "", []string{"notes"})
		require.NoError(t, err)
		_, _, err = rules.CreateRule(ctx, someone, operators.Rule{
			Prefix: "44", Strategy: operators.Cost, OnExhausted: operators.Fail, Active: true, Candidates: []operators.Candidate{{OperatorID: alpha, Priority: 1, Weight: 100}},
		})
		require.NoError(t, err)
		dry := someone
		dry.ValidateOnly = true
		preview, err := k.rateImporter().ImportRates(ctx, dry, deck, nil)
		require.NoError(t, err)
		require.EqualValues(t, heldRates, preview.New)
		require.Len(t, k.allRates(t), 1, "nobody sees a part of the deck")
	})
	require.NoError(t, err)
	require.EqualValues(t, heldRates, diff.New)
	require.EqualValues(t, before+4, diff.ConfigVersion, "its version is of the end, behind those of the changes beside it")
	config, rulesNow := k.versions(t)
	require.EqualValues(t, []int64{before + 4, rulesBefore + 2}, []int64{config, rulesNow})
	require.Len(t, k.allRates(t), heldRates+1)
	told := k.events(t)[events:]
	require.Len(t, told, 4)
	require.Equal(t, diff.ConfigVersion, told[3].ConfigVersion, "events go out in the order of the versions")
	require.Equal(t, k.clock.Now(), told[3].OccurredAt)
}

func TestAPreviewWaitsForNoChange(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.rules(t, ruleHeader+",+44,,,PRIORITY,,Alpha,,,,\n")
		deck := k.whole(t, "44,1,EUR,,,,,\n")
		dry := someone
		dry.ValidateOnly = true
		require.NoError(t, k.within(t, func(ctx context.Context, tx operators.Tx) error {
			if _, err := tx.RaiseConfigVersion(ctx, true, k.clock.Now()); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(t.Context(), alongside)
			defer cancel()
			diff, err := k.rateImporter().ImportRates(ctx, dry, deck, nil)
			require.NoError(t, err)
			require.EqualValues(t, 1, diff.New)
			result, err := k.importer.ImportRules(ctx, dry, []byte(ruleHeader+",+44,,,PRIORITY,,Beta,,,,\n"), nil)
			require.NoError(t, err)
			require.EqualValues(t, 1, result.Updated)
			result, err = k.importer.ImportOperators(ctx, dry, []byte(three), nil)
			require.NoError(t, err)
			require.EqualValues(t, 3, result.Unchanged)
			return nil
		}))
	})
}

func TestNoChangeWaitsForAPreviewAndAPreviewSeesOneState(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		require.NoError(t, k.store.View(t.Context(), func(ctx context.Context, tx operators.Tx) error {
			before, err := tx.LiveOperators(ctx)
			require.NoError(t, err)
			k.operators(t, operatorHeader+"Delta,d.example,1,delta,TRANSCEIVER,1,SMS,\n")
			after, err := tx.LiveOperators(ctx)
			require.Equal(t, before, after)
			return err
		}))
		require.Len(t, k.allOperators(t), 4)
	})
}

func TestAPreviewCannotWrite(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		_ = k.store.View(t.Context(), func(ctx context.Context, tx operators.Tx) error {
			_, _ = tx.RaiseConfigVersion(ctx, true, k.clock.Now()) // PostgreSQL refuses it, SQLite takes it back
			return nil
		})
		config, rules := k.versions(t)
		require.EqualValues(t, []int64{1, 1}, []int64{config, rules})
	})
}

// planning is a store that does something else when a deck is compared with what is stored.
type planning struct {
	*database.Store
	beside func()
}

func (p planning) InBulk(ctx context.Context, b operators.Bulk) error {
	plan := b.Plan
	b.Plan = func(ctx context.Context, tx operators.Tx) error {
		err := plan(ctx, tx)
		p.beside()
		return err
	}
	return p.Store.InBulk(ctx, b)
}

// On SQLite, too, where nobody else writes while the rates are written.
func TestOtherChangesGoOnWhileADeckIsCompared(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		store := planning{k.store, func() { k.operators(t, operatorHeader+"Delta,d.example,1,delta,TRANSCEIVER,1,SMS,\n") }}
		importer := operators.NewRateImporter(store, noWorkbooks{}, k.told, k.clock.Now, slog.New(slog.DiscardHandler))
		diff, err := importer.ImportRates(t.Context(), someone, k.whole(t, "44,1,EUR,,,,,\n"), nil)
		require.NoError(t, err)
		require.EqualValues(t, 4, diff.ConfigVersion)
		require.Len(t, k.allOperators(t), 4)
	})
}

func TestASecondImportOfTheSameOperatorIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		deck := k.whole(t, manyRates(heldRates, 1))
		second := k.whole(t, "44,1,EUR,,,,,\n")
		_, err := k.whileADeckIsHeld(t, someone, deck, func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, alongside)
			defer cancel()
			_, err := k.rateImporter().ImportRates(ctx, someone, second, nil)
			requireFault(t, err, fault.ResourceExhausted, operators.ReasonImportRunning)
			require.NotZero(t, fault.From(err).RetryAfter)
		})
		require.NoError(t, err)
		require.Len(t, k.allRates(t), heldRates)
		k.clock.Advance(time.Hour)
		diff, err := k.rateImporter().ImportRates(t.Context(), someone, second, nil)
		require.NoError(t, err, "the first one has ended")
		require.EqualValues(t, 1, diff.New)

		// One that fails makes room, too.
		_, err = k.rateImporter().ImportRates(t.Context(), someone, k.whole(t, "44,1,EUR,,,,2020-01-01,2020-01-02\n"), nil)
		require.NoError(t, err)
		_, err = k.rateImporter().ImportRates(t.Context(), someone, second, nil)
		require.NoError(t, err)
	})
}

func TestDecksOfTwoOperatorsAreStoredAtOnce(t *testing.T) {
	k := importedOnPostgres(t)
	other := k.whole(t, "44,1,EUR,,,,,\n")
	other.OperatorID = k.id(t, "Beta")
	diff, err := k.whileADeckIsHeld(t, someone, k.whole(t, manyRates(heldRates, 1)), func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, alongside)
		defer cancel()
		_, err := k.rateImporter().ImportRates(ctx, someone, other, nil)
		require.NoError(t, err)
	})
	require.NoError(t, err)
	require.EqualValues(t, 4, diff.ConfigVersion)
	require.Len(t, k.allRates(t), heldRates+1)
}

func TestAnOperatorThatIsDeletedWhileItsDeckIsStoredGetsNoRates(t *testing.T) {
	k := importedOnPostgres(t)
	_, err := k.whileADeckIsHeld(t, someone, k.whole(t, manyRates(heldRates, 1)), func(ctx context.Context) {
		_, err := k.db.NewRaw("UPDATE operators SET deleted_at = created_at WHERE name = 'Alpha'").Exec(ctx)
		require.NoError(t, err)
	})
	requireFault(t, err, fault.NotFound, operators.ReasonNoSuchOperator)
	require.Empty(t, k.allRates(t))
	config, _ := k.versions(t)
	require.EqualValues(t, 2, config)
}

func TestARequestIDThatIsUsedWhileADeckIsStored(t *testing.T) {
	for _, c := range []struct {
		name, fingerprint string
	}{
		{"for something else refuses the deck", "another"},
		{"for the same is answered as the former", "same"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := importedOnPostgres(t)
			r := operators.Request{Actor: "someone", ID: "deck-1", Fingerprint: "same"}
			meanwhile := r
			meanwhile.Fingerprint = c.fingerprint
			diff, err := k.whileADeckIsHeld(t, r, k.whole(t, manyRates(heldRates, 1)), func(context.Context) {
				require.NoError(t, k.within(t, func(ctx context.Context, tx operators.Tx) error {
					return tx.Remember(ctx, meanwhile, `{"new":7,"config_version":2}`, k.clock.Now())
				}))
			})
			if c.fingerprint == "same" {
				require.NoError(t, err)
				require.EqualValues(t, 7, diff.New)
				require.True(t, diff.Applied)
			} else {
				requireFault(t, err, fault.InvalidArgument, operators.ReasonRequestReused)
			}
			require.Empty(t, k.allRates(t))
			require.Len(t, k.audit(t), 1, "that of the operators")
		})
	}
}

// behind imports a deck while a change is under way. The rates are written by then, and the import waits for its turn to
// raise the version; then the change goes on.
func (k kit) behind(t *testing.T, deck operators.Deck, goOn func(ctx context.Context, tx operators.Tx) error) (operators.RateDiff, error) {
	t.Helper()
	type end struct {
		diff operators.RateDiff
		err  error
	}
	ended := make(chan end, 1)
	require.NoError(t, k.within(t, func(ctx context.Context, tx operators.Tx) error {
		go func() {
			diff, err := k.rateImporter().ImportRates(context.Background(), someone, deck, nil)
			ended <- end{diff, err}
		}()
		require.Eventually(t, func() bool {
			var n int
			err := k.db.NewRaw("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(ctx, &n)
			return err == nil && n == 1
		}, alongside, 10*time.Millisecond, "the import waits")
		return goOn(ctx, tx)
	}))
	got := <-ended
	return got.diff, got.err
}

func TestADeckIsCommittedBehindAChangeThatIsUnderWay(t *testing.T) {
	k := importedOnPostgres(t)
	diff, err := k.behind(t, k.whole(t, manyRates(heldRates, 1)), func(ctx context.Context, tx operators.Tx) error {
		_, err := tx.RaiseConfigVersion(ctx, false, k.clock.Now())
		return err
	})
	require.NoError(t, err)
	require.EqualValues(t, 4, diff.ConfigVersion)
	require.Len(t, k.allRates(t), heldRates)
}

func TestADeckThatWaitsForItsEndSeesThatItsOperatorIsDeleted(t *testing.T) {
	k := importedOnPostgres(t)
	alpha := k.allOperators(t)[0]
	alpha.DeletedAt = k.clock.Now()
	_, err := k.behind(t, k.whole(t, manyRates(heldRates, 1)), func(ctx context.Context, tx operators.Tx) error {
		return tx.PutOperators(ctx, []operators.Operator{alpha})
	})
	requireFault(t, err, fault.NotFound, operators.ReasonNoSuchOperator)
	require.Empty(t, k.allRates(t))
}
