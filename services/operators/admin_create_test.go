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

func TestAnOperatorIsCreatedInactiveWithItsPasswordInTheSecretStoreOnly(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		o := operators.Operator{
			Name: "Alpha", Host: "SMPP.Alpha.example", Port: 2775, SystemID: "alpha", SystemType: "VMA", BindType: operators.Transmitter,
			MaxTPS: 100, BurstMultiplier: 2, EnforcementMode: operators.SoftThrottle, MessageTypes: operators.SMS | operators.Flash,
			Notes: "call Ann\nor Bob",
			// The server sets these.
			ID: uuid.New(), Status: operators.Active, Version: 7, CredentialsVersion: 9, CreatedBy: "x", DeletedAt: deskTime,
		}
		d.clock.Advance(123456789 * time.Nanosecond)
		r := askedAs("create-1")
		r.Traceparent = "00-trace"
		created, err := d.admin.CreateOperator(t.Context(), r, o, canaryText)
		require.NoError(t, err)
		at := deskTime.Add(123456 * time.Microsecond)
		want := o
		want.ID, want.Host, want.Status, want.Version, want.CredentialsVersion = created.ID, "smpp.alpha.example", operators.Inactive, 1, 1
		want.DeletedAt, want.CreatedAt, want.UpdatedAt, want.CreatedBy, want.UpdatedBy = time.Time{}, at, at, "someone", "someone"
		require.Equal(t, want, created)
		require.NotEqual(t, o.ID, created.ID)
		require.EqualValues(t, 7, created.ID.Version())
		require.Equal(t, created, d.get(t, created.ID))
		require.Equal(t, map[int64]string{1: canary}, d.vault.passwords(created.ID))
		require.EqualValues(t, 1, d.wakes.Load())
		require.Equal(t, deskState{operators: 1, audit: 1, outbox: 1, requests: 1, version: 2}, d.state(t))

		var entry struct{ Actor, RequestID, Action, Entity, EntityID, After string }
		require.NoError(t, d.db.NewRaw("SELECT actor, request_id, action, entity, entity_id, after FROM audit_log WHERE before IS NULL").
			Scan(t.Context(), &entry))
		require.Equal(t, "someone create-1 operator.create operator "+created.ID.String(),
			strings.Join([]string{entry.Actor, entry.RequestID, entry.Action, entry.Entity, entry.EntityID}, " "))
		require.JSONEq(t, `{"operator_id":"`+created.ID.String()+`","name":"Alpha","host":"smpp.alpha.example","port":2775,
			"system_id":"alpha","system_type":"VMA","bind_type":"TRANSMITTER","message_types":["SMS","FLASH"],
			"tps_limit":{"max_tps":100,"burst_multiplier":2,"enforcement_mode":"SOFT_THROTTLE"},
			"notes":"call Ann\nor Bob","status":"INACTIVE","credentials_version":1,"version":1}`, entry.After)

		var event struct{ Subject, Payload, Traceparent string }
		require.NoError(t, d.db.NewRaw("SELECT subject, payload, traceparent FROM outbox").Scan(t.Context(), &event))
		require.Equal(t, "operator.config.created 00-trace", event.Subject+" "+event.Traceparent)
		require.JSONEq(t, `{"configVersion":"2","occurredAt":"2026-11-21T12:00:00.123456Z","operatorId":"`+created.ID.String()+`",
			"operatorVersion":"1","credentialsChanged":true}`, event.Payload)
		d.noCanary(t)
	})
}

func TestWhatIsLeftOutGetsItsDefault(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		created, err := d.admin.CreateOperator(t.Context(), someone, alphaOperator(), secret.Text{})
		require.NoError(t, err)
		require.Equal(t, operators.Transceiver, created.BindType)
		require.Equal(t, operators.SMS, created.MessageTypes)
		require.InDelta(t, 1.5, created.BurstMultiplier, 0)
		require.Equal(t, operators.HardReject, created.EnforcementMode)
		require.Zero(t, created.CredentialsVersion)
		require.Zero(t, d.vault.puts, "without a password nothing is written to the secret store")
		require.Equal(t, created, d.get(t, created.ID))
	})
}

func TestANewOperatorIsCheckedBeforeAnythingIsStored(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		receiver := operatorNamed("Receiver")
		receiver.BindType = operators.Receiver
		receiver = d.create(t, receiver)
		gone := d.create(t, operatorNamed("Gone"))
		_, _, err := d.admin.DeleteOperator(t.Context(), someone, operators.Target{ID: gone.ID})
		require.NoError(t, err)
		before, puts := d.state(t), d.vault.puts
		for _, c := range []struct {
			name, want string
			change     func(*operators.Operator)
			password   string
		}{
			{"no name", "name must have 1 to 100 characters", func(o *operators.Operator) { o.Name = "" }, canary},
			{"a port above the last", "port must be a whole number from 1 to 65535", func(o *operators.Operator) { o.Port = 65536 }, canary},
			{"a negative limit", "tps_limit.max_tps must be a whole number from 1 to 2147483647", func(o *operators.Operator) { o.MaxTPS = -1 }, canary},
			{"a password of 65", "password must have 1 to 64 characters", nil, strings.Repeat("x", 65)},
			{"a password beyond ASCII", "password must hold only printable ASCII characters", nil, "pässword"},
			{"a password with a zero byte", "password must hold only printable ASCII characters", nil, "a\x00"},
			{"a backup that does not exist", "backup_operator_id must be a live operator", func(o *operators.Operator) { o.BackupID = uuid.New() }, canary},
			{"a backup that was deleted", "backup_operator_id must be a live operator", func(o *operators.Operator) { o.BackupID = gone.ID }, canary},
			{"a backup that only receives", "backup_operator_id must be an operator that sends; this one only receives",
				func(o *operators.Operator) { o.BackupID = receiver.ID }, canary},
		} {
			t.Run(c.name, func(t *testing.T) {
				o := alphaOperator()
				if c.change != nil {
					c.change(&o)
				}
				for _, r := range []operators.Request{someone, dryRequest()} {
					_, err := d.admin.CreateOperator(t.Context(), r, o, secret.New(c.password))
					require.Equal(t, []string{c.want}, violations(t, err))
					require.NotContains(t, err.Error(), c.password)
				}
			})
		}
		require.Equal(t, before, d.state(t))
		require.Equal(t, puts, d.vault.puts)
		for name, text := range map[string]string{"One": "x", "Most": strings.Repeat("~", 64), "Spaces": " a b "} {
			_, err := d.admin.CreateOperator(t.Context(), someone, operatorNamed(name), secret.New(text))
			require.NoError(t, err)
		}
	})
}

func TestANameOrConnectionThatIsTakenIsADuplicateBeforeThePasswordIsStored(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		first := d.create(t, alphaOperator())
		before, puts := d.state(t), d.vault.puts
		sameName, sameConnection := operatorNamed("Beta"), alphaOperator()
		sameName.Name, sameConnection.Name, sameConnection.Host = "Alpha", "Beta", "SMPP.ALPHA.example"
		for text, o := range map[string]operators.Operator{"name": sameName, "host, port and system_id": sameConnection} {
			for _, r := range []operators.Request{someone, dryRequest()} {
				_, err := d.admin.CreateOperator(t.Context(), r, o, canaryText)
				wantFault(t, err, fault.AlreadyExists, operators.ReasonDuplicateOperator)
				require.Contains(t, err.Error(), `The operator "Alpha" has this `+text+".")
				require.Equal(t, first.ID.String(), fault.From(err).Metadata["operator_id"])
			}
		}
		require.Equal(t, before, d.state(t))
		require.Equal(t, puts, d.vault.puts)

		// What a deleted operator had is free.
		_, _, err := d.admin.DeleteOperator(t.Context(), someone, operators.Target{ID: first.ID})
		require.NoError(t, err)
		require.NotEqual(t, first.ID, d.create(t, alphaOperator()).ID)
	})
}

func TestADryRunOfACreationStoresNothingAnywhere(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		before := d.state(t)
		d.vault.on = func(string, func()) error { return errVault }
		o, err := d.admin.CreateOperator(t.Context(), dryRequest(), alphaOperator(), canaryText)
		require.NoError(t, err)
		require.Equal(t, "Alpha", o.Name)
		require.Equal(t, before, d.state(t))
		require.Zero(t, d.vault.puts)
		require.Zero(t, d.wakes.Load())
	})
}

func TestARepeatedCreationAnswersThePresentStateAndDoesNothing(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		first, err := d.admin.CreateOperator(t.Context(), askedAs("a"), alphaOperator(), canaryText)
		require.NoError(t, err)
		changed, _, err := d.admin.UpdateOperator(t.Context(), someone, operators.Operator{ID: first.ID, Notes: "new"}, "", []string{"notes"})
		require.NoError(t, err)
		before, wakes := d.state(t), d.wakes.Load()
		d.clock.Advance(24*time.Hour - time.Microsecond)
		again, err := d.admin.CreateOperator(t.Context(), askedAs("a"), alphaOperator(), canaryText)
		require.NoError(t, err)
		require.Equal(t, changed, again)
		require.Equal(t, before, d.state(t))
		require.Equal(t, 1, d.vault.puts)
		require.Equal(t, wakes, d.wakes.Load())

		other := askedAs("a")
		other.Fingerprint = "of another request"
		_, err = d.admin.CreateOperator(t.Context(), other, operatorNamed("Beta"), canaryText)
		wantFault(t, err, fault.InvalidArgument, operators.ReasonRequestReused)
		require.Equal(t, 1, d.vault.puts)
		stranger := other
		stranger.Actor = "someone else"
		_, err = d.admin.CreateOperator(t.Context(), stranger, operatorNamed("Beta"), canaryText)
		require.NoError(t, err, "ids belong to their actor")

		d.clock.Advance(time.Microsecond)
		_, err = d.admin.CreateOperator(t.Context(), other, operatorNamed("Gamma"), canaryText)
		require.NoError(t, err, "after 24 hours the id is forgotten")
		again, err = d.admin.CreateOperator(t.Context(), other, operatorNamed("Gamma"), canaryText)
		require.NoError(t, err)
		require.Equal(t, "Gamma", again.Name)
	})
}

// atOnce runs do n times at the same moment.
func atOnce(n int, do func(i int)) {
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			do(i)
		})
	}
	done.Wait()
}

func TestOfTenCreationsOfOneOperatorAtOnceExactlyOneWins(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		const n = 10
		// All of them are past the first check when the first password is stored.
		var waiting sync.WaitGroup
		waiting.Add(n)
		d.vault.breakOn("put", func(do func()) error {
			waiting.Done()
			waiting.Wait()
			do()
			return nil
		})
		errs := make([]error, n)
		atOnce(n, func(i int) {
			_, errs[i] = d.admin.CreateOperator(context.Background(), someone, alphaOperator(), canaryText)
		})
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			wantFault(t, err, fault.AlreadyExists, operators.ReasonDuplicateOperator)
		}
		require.Equal(t, 1, won)
		require.Equal(t, deskState{operators: 1, audit: 1, outbox: 1, version: 2}, d.state(t))
		require.Equal(t, n, d.vault.puts, "the race was one")
		live, _, err := d.store.LiveOperators(t.Context())
		require.NoError(t, err)
		require.Equal(t, []uuid.UUID{live[0].ID}, d.vault.holders())
		require.Equal(t, map[int64]string{1: canary}, d.vault.passwords(live[0].ID))
	})
}

func TestOneRequestTenTimesAtOnceHasOneEffectAndOneAnswer(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		const n = 10
		var waiting sync.WaitGroup
		waiting.Add(n)
		d.vault.breakOn("put", func(do func()) error {
			waiting.Done()
			waiting.Wait()
			do()
			return nil
		})
		answers, errs := make([]operators.Operator, n), make([]error, n)
		atOnce(n, func(i int) {
			answers[i], errs[i] = d.admin.CreateOperator(context.Background(), askedAs("a"), alphaOperator(), canaryText)
		})
		for i := range n {
			require.NoError(t, errs[i])
			require.Equal(t, answers[0], answers[i])
		}
		require.Equal(t, deskState{operators: 1, audit: 1, outbox: 1, requests: 1, version: 2}, d.state(t))
		require.Equal(t, []uuid.UUID{answers[0].ID}, d.vault.holders())
	})
}

func TestManyDifferentCreationsAtOnceAllSucceed(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		const n = 20
		errs := make([]error, n)
		atOnce(n, func(i int) {
			_, errs[i] = d.admin.CreateOperator(context.Background(), someone, operatorNamed("Op"+string(rune('a'+i))), canaryText)
		})
		for _, err := range errs {
			require.NoError(t, err)
		}
		require.Equal(t, deskState{operators: n, audit: n, outbox: n, version: 1 + n}, d.state(t))
	})
}
