package operators_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
)

// deskID is the id of nobody.
var deskID = uuid.MustParse("0190a8f0-0000-7000-8000-0000000000ff")

func TestAReadOfCredentialsIsAuditedBeforeItIsAnswered(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		o := d.create(t, alphaOperator())
		before := d.state(t)
		r := operators.Request{Actor: "spiffe://trunkline/smpp-connector", TraceID: "call-7"}
		given, text, err := d.admin.Credentials(t.Context(), r, o.ID)
		require.NoError(t, err)
		require.Equal(t, o, given)
		require.Equal(t, canary, text.Reveal())
		after := before
		after.audit++
		require.Equal(t, after, d.state(t), "an audit row and nothing else")
		var entry struct {
			Actor, RequestID, Action, Entity, EntityID string
			Before, After                              *string
		}
		require.NoError(t, d.db.NewRaw(`SELECT actor, request_id, action, entity, entity_id, before, after
			FROM audit_log ORDER BY audit_id DESC LIMIT 1`).Scan(t.Context(), &entry))
		require.Nil(t, entry.Before)
		require.Nil(t, entry.After)
		require.Equal(t, []string{r.Actor, "call-7", "credentials.read", "operator", o.ID.String()},
			[]string{entry.Actor, entry.RequestID, entry.Action, entry.Entity, entry.EntityID})

		d.store.audit = errLost
		_, text, err = d.admin.Credentials(t.Context(), r, o.ID)
		wantFault(t, err, fault.Unavailable, errLost.Reason)
		require.True(t, text.IsZero(), "no audit, no answer")
		d.store.audit = nil

		d.store.stale = true
		_, text, err = d.admin.Credentials(t.Context(), r, o.ID)
		wantFault(t, err, fault.Unavailable, "DATABASE_UNAVAILABLE")
		require.True(t, text.IsZero(), "a replica may name a former password")
		d.store.stale = false

		d.vault.breakOn("get", func(func()) error { return errVault })
		_, _, err = d.admin.Credentials(t.Context(), r, o.ID)
		wantFault(t, err, fault.Unavailable, operators.ReasonVault)
		require.Equal(t, after, d.state(t), "what was not read is not audited")
		d.noCanary(t)
	})
}

func TestCredentialsThatAreNotThereSaySo(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		bare, err := d.admin.CreateOperator(t.Context(), someone, alphaOperator(), secret.Text{})
		require.NoError(t, err)
		_, _, err = d.admin.Credentials(t.Context(), someone, bare.ID)
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonNoCredentials)
		lost := d.create(t, operatorNamed("Lost"))
		require.NoError(t, d.vault.Remove(t.Context(), lost.ID))
		_, _, err = d.admin.Credentials(t.Context(), someone, lost.ID)
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonNoCredentials)
		require.Contains(t, err.Error(), "gone from the secret store")
	})
}

func TestAReadThatMeetsARotationGivesTheNewPassword(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		o := d.create(t, alphaOperator())
		var once sync.Once
		d.vault.breakOn("get", func(do func()) error {
			// Between the row and the password it is rotated, and the former one goes.
			once.Do(func() {
				_, err := d.admin.RotateCredentials(t.Context(), someone, operators.Target{ID: o.ID}, secret.New("next"))
				require.NoError(t, err)
				require.NoError(t, d.vault.Drop(t.Context(), o.ID, 1))
			})
			do()
			return nil
		})
		given, text, err := d.admin.Credentials(t.Context(), someone, o.ID)
		require.NoError(t, err)
		require.Equal(t, "next", text.Reveal())
		require.EqualValues(t, 2, given.CredentialsVersion)
	})
}

func TestARotationPutsTheNewPasswordInForce(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		o := d.activate(t, d.create(t, alphaOperator()))
		d.clock.Advance(time.Minute)
		rotated, err := d.admin.RotateCredentials(t.Context(), askedAs("a"), operators.Target{ID: o.ID, ETag: o.ETag()}, secret.New(canary+"2"))
		require.NoError(t, err)
		want := o
		want.CredentialsVersion, want.Version, want.UpdatedAt = 2, 3, d.clock.Now()
		require.Equal(t, want, rotated)
		require.Equal(t, want, d.get(t, o.ID))
		require.Equal(t, map[int64]string{1: canary, 2: canary + "2"}, d.vault.passwords(o.ID), "the former one stays until it is crowded out")
		var event struct{ Subject, Payload string }
		require.NoError(t, d.db.NewRaw("SELECT subject, payload FROM outbox ORDER BY created_at DESC, event_id DESC LIMIT 1").Scan(t.Context(), &event))
		require.Equal(t, "operator.config.updated", event.Subject)
		require.Contains(t, event.Payload, "credentialsChanged")
		var action string
		require.NoError(t, d.db.NewRaw("SELECT action FROM audit_log ORDER BY audit_id DESC LIMIT 1").Scan(t.Context(), &action))
		require.Equal(t, "credentials.rotate", action)

		before := d.state(t)
		again, err := d.admin.RotateCredentials(t.Context(), askedAs("a"), operators.Target{ID: o.ID, ETag: o.ETag()}, secret.New(canary+"2"))
		require.NoError(t, err)
		require.Equal(t, rotated, again)
		_, err = d.admin.RotateCredentials(t.Context(), askedAs("a"), operators.Target{ID: o.ID, ETag: o.ETag()}, secret.New("third"))
		wantFault(t, err, fault.InvalidArgument, operators.ReasonRequestReused)
		require.Equal(t, 2, d.vault.puts, "a repeat stores no password")

		_, err = d.admin.RotateCredentials(t.Context(), someone, operators.Target{ID: o.ID, ETag: o.ETag()}, secret.New("third"))
		wantFault(t, err, fault.Aborted, operators.ReasonETag)
		for _, wrong := range []string{"", strings.Repeat("x", 65), "é", "a\n"} {
			_, err = d.admin.RotateCredentials(t.Context(), someone, operators.Target{ID: o.ID}, secret.New(wrong))
			require.Len(t, violations(t, err), 1)
			require.Contains(t, violations(t, err)[0], "password must ")
		}
		r := dryRequest()
		dried, err := d.admin.RotateCredentials(t.Context(), r, operators.Target{ID: o.ID}, secret.New("third"))
		require.NoError(t, err)
		require.EqualValues(t, 3, dried.CredentialsVersion)
		require.Equal(t, 2, d.vault.puts)
		require.Equal(t, before, d.state(t))
		d.noCanary(t)
	})
}

func TestTenRotationsAtOnceLeaveOnePasswordInForce(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		o := d.create(t, alphaOperator())
		const n = 10
		rotated, errs := make([]operators.Operator, n), make([]error, n)
		text := func(i int) string { return canary + string(rune('a'+i)) }
		atOnce(n, func(i int) {
			rotated[i], errs[i] = d.admin.RotateCredentials(context.Background(), someone, operators.Target{ID: o.ID}, secret.New(text(i)))
		})
		now := d.get(t, o.ID)
		require.EqualValues(t, 1+n, now.Version)
		for i := range n {
			require.NoError(t, errs[i])
			if rotated[i].Version == now.Version {
				_, given, err := d.admin.Credentials(t.Context(), someone, o.ID)
				require.NoError(t, err)
				require.Equal(t, text(i), given.Reveal(), "the last to commit is in force")
			}
		}
		// One that was stored later and committed earlier is newer than the one in force, and goes.
		d.clock.Advance(time.Hour)
		d.swept(t)
		for version := range d.vault.passwords(o.ID) {
			require.LessOrEqual(t, version, now.CredentialsVersion)
		}

		// Of ten with one etag one wins, and the others leave nothing.
		left := len(d.vault.passwords(o.ID))
		atOnce(n, func(i int) {
			_, errs[i] = d.admin.RotateCredentials(context.Background(), someone, operators.Target{ID: o.ID, ETag: now.ETag()}, canaryText)
		})
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			wantFault(t, err, fault.Aborted, operators.ReasonETag)
		}
		require.Equal(t, 1, won)
		require.Len(t, d.vault.passwords(o.ID), left+1)
		d.noCanary(t)
	})
}
