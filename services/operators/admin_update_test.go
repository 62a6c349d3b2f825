package operators_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

func TestAnUpdateChangesTheFieldsThatItsMaskNames(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		backup := d.create(t, operatorNamed("Backup"))
		from := operators.Operator{
			Name: "Beta", Host: "Beta.example", Port: 2776, SystemID: "beta", SystemType: "VMA", BindType: operators.Transmitter,
			MaxTPS: 7, BurstMultiplier: 3, EnforcementMode: operators.SoftThrottle, MessageTypes: operators.WAP,
			BackupID: backup.ID, Notes: "new", Status: operators.Suspended, Version: 99, CredentialsVersion: 99,
		}
		for _, c := range []struct {
			mask    string
			rebinds bool
			change  func(o *operators.Operator)
		}{
			{"name", false, func(o *operators.Operator) { o.Name = "Beta" }},
			{"host", true, func(o *operators.Operator) { o.Host = "beta.example" }},
			{"port", true, func(o *operators.Operator) { o.Port = 2776 }},
			{"system_id", true, func(o *operators.Operator) { o.SystemID = "beta" }},
			{"system_type", true, func(o *operators.Operator) { o.SystemType = "VMA" }},
			{"bind_type", true, func(o *operators.Operator) { o.BindType = operators.Transmitter }},
			{"tps_limit.max_tps", false, func(o *operators.Operator) { o.MaxTPS = 7 }},
			{"tps_limit.burst_multiplier", false, func(o *operators.Operator) { o.BurstMultiplier = 3 }},
			{"tps_limit.enforcement_mode", false, func(o *operators.Operator) { o.EnforcementMode = operators.SoftThrottle }},
			{"tps_limit", false, func(o *operators.Operator) {
				o.MaxTPS, o.BurstMultiplier, o.EnforcementMode = 7, 3, operators.SoftThrottle
			}},
			{"message_types", false, func(o *operators.Operator) { o.MessageTypes = operators.WAP }},
			{"backup_operator_id", false, func(o *operators.Operator) { o.BackupID = backup.ID }},
			{"notes", false, func(o *operators.Operator) { o.Notes = "new" }},
			{"name,notes,name", false, func(o *operators.Operator) { o.Name, o.Notes = "Beta", "new" }},
		} {
			t.Run(c.mask, func(t *testing.T) {
				old := d.create(t, alphaOperator())
				d.clock.Advance(time.Minute)
				events := d.count(t, "outbox")
				from := from
				from.ID = old.ID
				r := someone
				r.Actor = "another"
				updated, warnings, err := d.admin.UpdateOperator(t.Context(), r, from, old.ETag(), strings.Split(c.mask, ","))
				require.NoError(t, err)
				require.Empty(t, warnings)
				want := old
				c.change(&want)
				want.Version, want.UpdatedAt, want.UpdatedBy = 2, d.clock.Now(), "another"
				require.Equal(t, want, updated)
				require.Equal(t, want, d.get(t, old.ID))
				require.NotEqual(t, old.ETag(), updated.ETag())
				require.Equal(t, events+1, d.count(t, "outbox"))
				var event struct{ Subject, Payload string }
				require.NoError(t, d.db.NewRaw("SELECT subject, payload FROM outbox ORDER BY created_at DESC, event_id DESC LIMIT 1").
					Scan(t.Context(), &event))
				require.Equal(t, "operator.config.updated", event.Subject)
				require.Contains(t, event.Payload, old.ID.String())
				require.Equal(t, c.rebinds, strings.Contains(event.Payload, "credentialsChanged"), event.Payload)
				var entry struct{ Action, Before, After string }
				require.NoError(t, d.db.NewRaw("SELECT action, before, after FROM audit_log ORDER BY audit_id DESC LIMIT 1").Scan(t.Context(), &entry))
				require.Equal(t, "operator.update", entry.Action)
				require.Contains(t, entry.Before, `"version":1`)
				require.Contains(t, entry.After, `"version":2`)
				_, _, err = d.admin.DeleteOperator(t.Context(), someone, operators.Target{ID: old.ID})
				require.NoError(t, err)
			})
		}
	})
}

func TestAFieldThatIsTakenAwayGetsItsDefault(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		o := alphaOperator()
		o.BindType, o.MessageTypes, o.BurstMultiplier, o.EnforcementMode = operators.Transmitter, operators.WAP, 3, operators.SoftThrottle
		o.BackupID, o.Notes, o.SystemType = d.create(t, operatorNamed("Beta")).ID, "x", "y"
		old := d.create(t, o)
		updated, _, err := d.admin.UpdateOperator(t.Context(), someone, operators.Operator{ID: old.ID}, "", []string{
			"bind_type", "message_types", "tps_limit.burst_multiplier", "tps_limit.enforcement_mode", "backup_operator_id", "notes", "system_type",
		})
		require.NoError(t, err)
		want := alphaOperator()
		want.ID, want.BindType, want.MessageTypes, want.BurstMultiplier, want.EnforcementMode =
			old.ID, operators.Transceiver, operators.SMS, 1.5, operators.HardReject
		want.Status, want.CredentialsVersion, want.Version = operators.Inactive, 1, 2
		want.CreatedAt, want.UpdatedAt, want.CreatedBy, want.UpdatedBy = deskTime, deskTime, "someone", "someone"
		require.Equal(t, want, updated)
	})
}

func TestAnUpdateThatCannotBeStoredChangesNothing(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		d.create(t, operatorNamed("Beta"))
		o := d.create(t, alphaOperator())
		receiver := operatorNamed("Receiver")
		receiver.BindType = operators.Receiver
		receiver = d.create(t, receiver)
		protected := operatorNamed("Protected")
		protected.BackupID = o.ID
		protected = d.create(t, protected)
		gone := d.create(t, operatorNamed("Gone"))
		_, _, err := d.admin.DeleteOperator(t.Context(), someone, operators.Target{ID: gone.ID})
		require.NoError(t, err)
		before := d.state(t)
		update := func(from operators.Operator, etag string, mask ...string) error {
			t.Helper()
			if from.ID == uuid.Nil {
				from.ID = o.ID
			}
			for _, r := range []operators.Request{someone, dryRequest()} {
				_, _, err = d.admin.UpdateOperator(t.Context(), r, from, etag, mask)
			}
			return err
		}
		wantFault(t, update(operators.Operator{}, ""), fault.InvalidArgument, operators.ReasonUpdateMask)
		wantFault(t, update(operators.Operator{}, "", make([]string, 101)...), fault.InvalidArgument, operators.ReasonUpdateMask)
		for _, path := range []string{"status", "operator_id", "version", "tps_limit.burst", "*", "", "Name", "password", strings.Repeat("x", 1000)} {
			err := update(operators.Operator{}, "", "name", path)
			wantFault(t, err, fault.InvalidArgument, operators.ReasonUpdateMask)
			require.Contains(t, err.Error(), "it may name name, host, port")
			require.Less(t, len(err.Error()), 500)
			require.Equal(t, "update_mask", fault.From(err).Violations[0].Field)
		}
		require.Equal(t, []string{"port must be a whole number from 1 to 65535"}, violations(t, update(operators.Operator{}, "", "port")))
		require.Equal(t, []string{"backup_operator_id must be another operator"}, violations(t, update(operators.Operator{BackupID: o.ID}, "", "backup_operator_id")))
		require.Equal(t, []string{"backup_operator_id must be a live operator"}, violations(t, update(operators.Operator{BackupID: gone.ID}, "", "backup_operator_id")))
		require.Equal(t, []string{"backup_operator_id must be an operator that sends; this one only receives"},
			violations(t, update(operators.Operator{BackupID: receiver.ID}, "", "backup_operator_id")))
		require.Equal(t, []string{`bind_type must not be RECEIVER, because the operator is the backup of "Protected"`},
			violations(t, update(operators.Operator{BindType: operators.Receiver}, "", "bind_type")))
		wantFault(t, update(operators.Operator{Name: "Beta"}, "", "name"), fault.AlreadyExists, operators.ReasonDuplicateOperator)
		wantFault(t, update(operatorNamed("Beta"), "", "host", "port", "system_id"), fault.AlreadyExists, operators.ReasonDuplicateOperator)
		wantFault(t, update(operators.Operator{Notes: "x"}, "wrong", "notes"), fault.Aborted, operators.ReasonETag)
		wantFault(t, update(operators.Operator{ID: uuid.New()}, "", "notes"), fault.NotFound, operators.ReasonNoSuchOperator)
		wantFault(t, update(operators.Operator{ID: gone.ID, Notes: "x"}, "", "notes"), fault.NotFound, operators.ReasonNoSuchOperator)
		require.Equal(t, before, d.state(t))
		require.Equal(t, o, d.get(t, o.ID))

		// A backup that was deleted since does not stand in the way of other changes.
		_, _, err = d.admin.DeleteOperator(t.Context(), someone, operators.Target{ID: o.ID})
		require.NoError(t, err)
		updated, _, err := d.admin.UpdateOperator(t.Context(), someone, operators.Operator{ID: protected.ID, Notes: "x"}, "", []string{"notes"})
		require.NoError(t, err)
		require.Equal(t, o.ID, updated.BackupID)
	})
}

func TestAnUpdateWithoutADifferenceIsNoChange(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		o := d.create(t, alphaOperator())
		before, wakes := d.state(t), d.wakes.Load()
		d.clock.Advance(time.Hour)
		same, warnings, err := d.admin.UpdateOperator(t.Context(), someone, o, o.ETag(), []string{"name", "host", "notes"})
		require.NoError(t, err)
		require.Empty(t, warnings)
		require.Equal(t, o, same)
		require.Equal(t, before, d.state(t))
		require.Equal(t, wakes+1, d.wakes.Load(), "waking for nothing does no harm")

		dried, _, err := d.admin.UpdateOperator(t.Context(), dryRequest(), operators.Operator{ID: o.ID, Notes: "x"}, "", []string{"notes"})
		require.NoError(t, err)
		require.Equal(t, "x", dried.Notes)
		require.Equal(t, before, d.state(t))
		require.Equal(t, o, d.get(t, o.ID))
	})
}

func TestOfTenUpdatesWithOneETagExactlyOneWins(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		o := d.create(t, alphaOperator())
		const n = 10
		errs := make([]error, n)
		atOnce(n, func(i int) {
			from := operators.Operator{ID: o.ID, MaxTPS: 1000 + i}
			_, _, errs[i] = d.admin.UpdateOperator(context.Background(), someone, from, o.ETag(), []string{"tps_limit.max_tps"})
		})
		won := -1
		for i, err := range errs {
			if err == nil {
				require.Equal(t, -1, won, "a second one won")
				won = i
				continue
			}
			wantFault(t, err, fault.Aborted, operators.ReasonETag)
		}
		now := d.get(t, o.ID)
		require.Equal(t, 1000+won, now.MaxTPS)
		require.EqualValues(t, 2, now.Version)
		require.Equal(t, deskState{operators: 1, audit: 2, outbox: 2, version: 3}, d.state(t))
	})
}

func TestAnUpdateAskedForTenTimesAtOnceHasOneEffect(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		o := d.create(t, alphaOperator())
		const n = 10
		answers, errs := make([]operators.Operator, n), make([]error, n)
		atOnce(n, func(i int) {
			answers[i], _, errs[i] = d.admin.UpdateOperator(context.Background(), askedAs("a"), operators.Operator{ID: o.ID, Notes: "x"}, o.ETag(), []string{"notes"})
		})
		for i := range n {
			require.NoError(t, errs[i], "a repeat does not meet its own etag")
			require.Equal(t, answers[0], answers[i])
		}
		require.EqualValues(t, 2, answers[0].Version)
		require.Equal(t, deskState{operators: 1, audit: 2, outbox: 2, requests: 1, version: 3}, d.state(t))
	})
}
