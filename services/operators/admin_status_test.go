package operators_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
)

type statusChange func(context.Context, operators.Request, operators.Target) (operators.Operator, []operators.Warning, error)

func (d *desk) changes() map[operators.Status]statusChange {
	return map[operators.Status]statusChange{
		operators.Active: d.admin.ActivateOperator, operators.Suspended: d.admin.SuspendOperator, operators.Inactive: d.admin.DeactivateOperator,
	}
}

func TestStatusesFollowEachOtherByTheirCalls(t *testing.T) {
	actions := map[operators.Status]string{
		operators.Active: "operator.activate", operators.Suspended: "operator.suspend", operators.Inactive: "operator.deactivate",
	}
	onBothStores(t, func(t *testing.T, d *desk) {
		o := d.create(t, alphaOperator())
		// reach brings the operator to a status from INACTIVE.
		reach := func(status operators.Status) operators.Operator {
			for _, step := range map[operators.Status][]operators.Status{
				operators.Active: {operators.Active}, operators.Suspended: {operators.Active, operators.Suspended},
			}[status] {
				_, _, err := d.changes()[step](t.Context(), someone, operators.Target{ID: o.ID})
				require.NoError(t, err)
			}
			return d.get(t, o.ID)
		}
		for _, from := range []operators.Status{operators.Inactive, operators.Active, operators.Suspended} {
			for to, change := range d.changes() {
				old := reach(from)
				require.Equal(t, from, old.Status)
				before := d.state(t)
				target := operators.Target{ID: o.ID, ETag: old.ETag()}
				changed, _, err := change(t.Context(), someone, target)
				switch {
				case from == to:
					require.NoError(t, err)
					require.Equal(t, old, changed)
					require.Equal(t, before, d.state(t), "the present status is no change")
				case from == operators.Inactive && to == operators.Suspended:
					wantFault(t, err, fault.FailedPrecondition, operators.ReasonIllegalStatus)
					require.Equal(t, before, d.state(t))
				default:
					require.NoError(t, err)
					want := old
					want.Status, want.Version = to, old.Version+1
					require.Equal(t, want, changed)
					require.Equal(t, want, d.get(t, o.ID))
					require.Equal(t, before.outbox+1, d.count(t, "outbox"))
					var action string
					require.NoError(t, d.db.NewRaw("SELECT action FROM audit_log ORDER BY audit_id DESC LIMIT 1").Scan(t.Context(), &action))
					require.Equal(t, actions[to], action)
					_, _, err = change(t.Context(), someone, target)
					wantFault(t, err, fault.Aborted, operators.ReasonETag)
				}
				_, _, err = d.admin.DeactivateOperator(t.Context(), someone, operators.Target{ID: o.ID})
				require.NoError(t, err)
			}
		}
	})
}

func TestAnOperatorWithoutPasswordCannotBeActivated(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		o, err := d.admin.CreateOperator(t.Context(), someone, alphaOperator(), secret.Text{})
		require.NoError(t, err)
		before := d.state(t)
		_, _, err = d.admin.ActivateOperator(t.Context(), someone, operators.Target{ID: o.ID})
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonNoCredentials)
		require.Equal(t, before, d.state(t))
		_, err = d.admin.RotateCredentials(t.Context(), someone, operators.Target{ID: o.ID}, canaryText)
		require.NoError(t, err)
		require.Equal(t, operators.Active, d.activate(t, o).Status)
	})
}

func TestAChangeOfNoLiveOperatorIsNotFound(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		gone := d.create(t, alphaOperator())
		_, _, err := d.admin.DeleteOperator(t.Context(), someone, operators.Target{ID: gone.ID})
		require.NoError(t, err)
		for _, id := range []uuid.UUID{gone.ID, uuid.New(), uuid.Nil} {
			for _, change := range []statusChange{
				d.admin.ActivateOperator, d.admin.SuspendOperator, d.admin.DeactivateOperator, d.admin.DeleteOperator,
			} {
				_, _, err := change(t.Context(), someone, operators.Target{ID: id})
				wantFault(t, err, fault.NotFound, operators.ReasonNoSuchOperator)
			}
			_, err := d.admin.RotateCredentials(t.Context(), someone, operators.Target{ID: id}, canaryText)
			wantFault(t, err, fault.NotFound, operators.ReasonNoSuchOperator)
			_, _, err = d.admin.Credentials(t.Context(), someone, id)
			wantFault(t, err, fault.NotFound, operators.ReasonNoSuchOperator)
		}
		_, _, err = d.admin.GetOperator(t.Context(), uuid.New())
		wantFault(t, err, fault.NotFound, operators.ReasonNoSuchOperator)
		require.Equal(t, 1, d.vault.puts)
	})
}

func TestADeletedOperatorStaysReadableAndItsPasswordIsGone(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		o := d.activate(t, d.create(t, alphaOperator()))
		protected := operatorNamed("Protected")
		protected.BackupID = o.ID
		protected = d.create(t, protected)
		d.clock.Advance(time.Minute)

		before := d.state(t)
		_, warnings, err := d.admin.DeleteOperator(t.Context(), dryRequest(), operators.Target{ID: o.ID})
		require.NoError(t, err)
		require.Len(t, warnings, 1)
		require.Equal(t, before, d.state(t))
		require.Len(t, d.vault.holders(), 2, "a dry run removes no password")

		r := askedAs("delete")
		deleted, warnings, err := d.admin.DeleteOperator(t.Context(), r, operators.Target{ID: o.ID, ETag: o.ETag()})
		require.NoError(t, err)
		want := o
		want.DeletedAt, want.UpdatedAt, want.Version, want.CredentialsVersion = d.clock.Now(), d.clock.Now(), 3, 0
		require.Equal(t, want, deleted)
		require.Equal(t, want, d.get(t, o.ID))
		require.Equal(t, []operators.Warning{{
			Reason: operators.WarnBackupDeleted, Message: `The operator "Protected" has no backup now: give it another.`,
		}}, warnings)
		require.Equal(t, []uuid.UUID{protected.ID}, d.vault.holders())
		var event struct{ Subject, Payload string }
		require.NoError(t, d.db.NewRaw("SELECT subject, payload FROM outbox ORDER BY created_at DESC, event_id DESC LIMIT 1").Scan(t.Context(), &event))
		require.Equal(t, "operator.config.deleted", event.Subject)
		require.Contains(t, event.Payload, "credentialsChanged")

		again, _, err := d.admin.DeleteOperator(t.Context(), r, operators.Target{ID: o.ID, ETag: o.ETag()})
		require.NoError(t, err, "the repeat of the request answers as the first")
		require.Equal(t, deleted, again)
	})
}

// rules stores global rules as they are, without a check.
func (d *desk) rules(t *testing.T, rules ...operators.Rule) {
	t.Helper()
	for i := range rules {
		r := &rules[i]
		r.ID, r.Version, r.OnExhausted, r.Active = uuid.Must(uuid.NewV7()), 1, operators.Fail, true
		if r.Strategy == 0 {
			r.Strategy = operators.Priority
		}
		r.CreatedAt, r.UpdatedAt = deskTime, deskTime
	}
	require.NoError(t, d.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error { return tx.PutRules(ctx, rules, nil) }))
}

func rule(prefix e164.Prefix, all ...operators.Operator) operators.Rule {
	r := operators.Rule{Prefix: prefix}
	for i, o := range all {
		r.Candidates = append(r.Candidates, operators.Candidate{OperatorID: o.ID, Priority: i + 1, Weight: 100})
	}
	return r
}

func TestAChangeWarnsOfRulesWithoutAUsableOperator(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		a, b := d.activate(t, d.create(t, operatorNamed("A"))), d.activate(t, d.create(t, operatorNamed("B")))
		idle := d.create(t, operatorNamed("Idle"))
		receives := operatorNamed("Receives")
		receives.BindType = operators.Receiver
		receives = d.activate(t, d.create(t, receives))
		wap := operatorNamed("Wap")
		wap.MessageTypes = operators.WAP
		wap = d.activate(t, d.create(t, wap))

		other := uuid.MustParse(account)
		alone, shared, withIdle, withReceiver, withWap := rule("44", a), rule("45", a, b), rule("46", a, idle), rule("47", a, receives), rule("48", a, wap)
		withWap.MessageTypes = operators.SMS | operators.Flash
		someWap := rule("49", a, wap)
		someWap.MessageTypes = operators.SMS | operators.WAP
		ended, later := rule("31", a), rule("32", a)
		ended.ValidTo, later.ValidFrom = deskTime, deskTime.Add(time.Hour)
		covered := rule("3", a)
		owned := rule("3", b)
		owned.Account, owned.MessageTypes = other, operators.SMS
		d.rules(t, alone, shared, withIdle, withReceiver, withWap, someWap, ended, later, rule("440", b), rule("441", b), rule("442", a),
			covered, owned, rule("491234567890123", a))
		off := rule("33", a)
		d.rules(t, off)
		_, err := d.db.NewRaw("UPDATE routing_rules SET active = ? WHERE prefix = '+33'", false).Exec(t.Context())
		require.NoError(t, err)

		expect := map[string]string{
			"+3": "+300000000000", "+32": "+320000000000", "+44": "+443333333333", "+442": "+442000000000", "+46": "+460000000000",
			"+47": "+470000000000", "+48": "+480000000000", "+491234567890123": "+491234567890123",
		}
		check := func(warnings []operators.Warning) {
			t.Helper()
			found := map[string]string{}
			for _, w := range warnings {
				require.Equal(t, operators.WarnRuleWithoutOperator, w.Reason)
				name, _, told := strings.Cut(w.Message, " has no usable operator")
				require.True(t, told)
				var prefix, account, types string
				require.NoError(t, d.db.NewRaw("SELECT prefix, COALESCE(CAST(account_id AS text), ''), message_types FROM routing_rules WHERE rule_id = ?", w.RuleID).
					Scan(t.Context(), &prefix, &account, &types))
				owner := "The global rule for "
				if account != "" {
					owner = "The rule of account " + account + " for "
				}
				if types != "" {
					types = " (" + strings.ReplaceAll(types, ",", ", ") + ")"
				}
				require.Equal(t, owner+prefix+types, name)
				found[prefix] = w.Witness
			}
			require.Equal(t, expect, found)
		}
		before := d.state(t)
		_, warnings, err := d.admin.SuspendOperator(t.Context(), dryRequest(), operators.Target{ID: a.ID})
		require.NoError(t, err)
		check(warnings)
		require.Equal(t, before, d.state(t))

		_, warnings, err = d.admin.UpdateOperator(t.Context(), someone, operators.Operator{ID: a.ID, BindType: operators.Receiver}, "", []string{"bind_type"})
		require.NoError(t, err)
		check(warnings)
		_, warnings, err = d.admin.UpdateOperator(t.Context(), someone, operators.Operator{ID: a.ID}, "", []string{"bind_type"})
		require.NoError(t, err)
		require.Empty(t, warnings)
		r := askedAs("suspend")
		_, warnings, err = d.admin.SuspendOperator(t.Context(), r, operators.Target{ID: a.ID})
		require.NoError(t, err)
		check(warnings)
		_, warnings, err = d.admin.SuspendOperator(t.Context(), r, operators.Target{ID: a.ID})
		require.NoError(t, err)
		check(warnings)
		_, warnings, err = d.admin.DeleteOperator(t.Context(), someone, operators.Target{ID: a.ID})
		require.NoError(t, err)
		check(warnings)

		_, warnings, err = d.admin.SuspendOperator(t.Context(), someone, operators.Target{ID: wap.ID})
		require.NoError(t, err)
		found := map[string]bool{}
		for _, w := range warnings {
			found[w.Message] = true
		}
		require.Len(t, found, 2, "the rules of +48 and +49 name it")
	})
}

func TestWarningsAreBounded(t *testing.T) {
	onBothStores(t, func(t *testing.T, d *desk) {
		o := d.activate(t, d.create(t, alphaOperator()))
		rules := make([]operators.Rule, operators.MaxWarnings+1)
		for i := range rules {
			rules[i] = rule(e164.Prefix(fmt.Sprintf("44%03d", i)), o)
		}
		d.rules(t, rules[1:]...)
		_, warnings, err := d.admin.SuspendOperator(t.Context(), dryRequest(), operators.Target{ID: o.ID})
		require.NoError(t, err)
		require.Len(t, warnings, operators.MaxWarnings)
		require.Contains(t, warnings[0].Message, "for +44001 ")
		d.rules(t, rules[0])
		_, warnings, err = d.admin.SuspendOperator(t.Context(), dryRequest(), operators.Target{ID: o.ID})
		require.NoError(t, err)
		require.Len(t, warnings, operators.MaxWarnings+1)
		require.Equal(t, operators.Warning{
			Reason: operators.WarnRuleWithoutOperator, Message: "More than 100 rules have no usable operator.",
		}, warnings[operators.MaxWarnings])
	})
}
