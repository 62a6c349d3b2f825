package operators_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

func TestARuleIsStoredWithItsAuditRowAndItsEvent(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		rule := theRule(0, "+44 of=A SMS|FLASH COST fall from=-1h to=5h Beta/2/7@0.0125EUR Alpha/1@0.01EUR")
		rule.Country, rule.Description, rule.ValidTo = "GB", "Britain", rule.ValidTo.Add(1234*time.Nanosecond)
		created, warnings, err := d.rules.CreateRule(t.Context(), someone, rule)
		require.NoError(t, err)
		require.Equal(t, []string{operators.FindingNothingShorter}, reasons(warnings))
		require.Equal(t, []uuid.UUID{created.ID}, warnings[0].Rules)

		want := rule
		want.ID, want.Version = created.ID, 1
		want.CreatedAt, want.UpdatedAt, want.CreatedBy, want.UpdatedBy = deskTime, deskTime, "someone", "someone"
		want.ValidTo = rule.ValidTo.Truncate(time.Microsecond)
		want.Candidates = []operators.Candidate{rule.Candidates[1], rule.Candidates[0]}
		want.Candidates[0].OperatorName, want.Candidates[1].OperatorName = "Alpha", "Beta"
		require.Equal(t, want, created)
		require.EqualValues(t, 7, created.ID.Version())
		require.Equal(t, want, d.rule(t, created.ID))
		require.EqualValues(t, 1, d.wakes.Load())
		config, rules := d.versions(t)
		require.Equal(t, []int{2, 2}, []int{config, rules})

		var entry struct {
			Action, Entity, EntityID, Actor, RequestID, After string
			Before                                            *string
		}
		require.NoError(t, d.db.NewRaw("SELECT action, entity, entity_id, actor, request_id, before, after FROM audit_log").Scan(t.Context(), &entry))
		require.Equal(t, []string{"rule.create", "rule", created.ID.String(), "someone", "trace-1"},
			[]string{entry.Action, entry.Entity, entry.EntityID, entry.Actor, entry.RequestID})
		require.Nil(t, entry.Before)
		require.JSONEq(t, `{"rule_id": "`+created.ID.String()+`", "account_id": "`+accounts["A"].String()+`", "prefix": "+44", "country": "GB",
			"description": "Britain", "message_types": "SMS,FLASH", "strategy": "COST", "on_exhausted": "FALL_THROUGH", "active": true,
			"valid_from": "2026-11-21T11:00:00Z", "valid_to": "2026-11-21T17:00:00.000001Z", "version": 1, "candidates": [
			{"operator_id": "`+id(1).String()+`", "priority": 1, "weight": 100, "price": "0.010000", "currency": "EUR"},
			{"operator_id": "`+id(2).String()+`", "priority": 2, "weight": 7, "price": "0.012500", "currency": "EUR"}]}`, entry.After)

		var event struct{ Subject, Payload string }
		require.NoError(t, d.db.NewRaw("SELECT subject, payload FROM outbox").Scan(t.Context(), &event))
		require.Equal(t, "operator.config.created", event.Subject)
		require.Regexp(t, `"configVersion": ?"2"`, event.Payload)
		require.NotContains(t, event.Payload, "operatorId")
	})
}

func TestWhatARuleLeavesOutGetsItsDefault(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		rule := theRule(0, "+44 Alpha")
		rule.OnExhausted = 0
		created, _, err := d.rules.CreateRule(t.Context(), someone, rule)
		require.NoError(t, err)
		require.Equal(t, operators.Fail, created.OnExhausted)
	})
}

func TestARuleThatCannotBeIsRefusedAndNothingIsStored(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		first := d.add(t, "+44 SMS Alpha")
		d.rates(t, "Beta +447 SMS 0.01EUR", "Alpha +44 SMS 0.01EUR", "Gamma +44 SMS 0.01USD")
		for _, c := range []struct {
			name, rule string
			kind       fault.Kind
			reason     string
			says       string
		}{
			{"a field that is wrong", "+44 FLASH", fault.InvalidArgument, operators.ReasonInvalid, "candidates: must be 1 to 100 operators"},
			{"equal priorities", "+44 FLASH Alpha/1 Beta/1", fault.InvalidArgument, operators.ReasonInvalid, "candidates[1].priority: must differ"},
			{"the key of another rule", "+44 SMS Beta", fault.AlreadyExists, operators.ReasonDuplicateRule, "Rule " + first.ID.String() + " has this account"},
			{"an operator that never was", "+46 Nobody", fault.NotFound, operators.ReasonNoSuchOperator, "candidate 1 names"},
			{"a deleted operator", "+46 Alpha Gone", fault.NotFound, operators.ReasonNoSuchOperator, "candidate 2 names"},
			{"types that overlap", "+44 SMS|FLASH Beta", fault.FailedPrecondition, operators.ReasonConflict, "answer the same messages"},
			{"no rate", "+46 SMS COST Alpha", fault.FailedPrecondition, operators.ReasonConflict, "no rate in force for any number"},
			{"two currencies", "+447 SMS COST Beta Gamma", fault.FailedPrecondition, operators.ReasonConflict, "compare prices in EUR and USD"},
		} {
			t.Run(c.name, func(t *testing.T) {
				f := d.refuse(t, c.rule)
				require.Equal(t, c.kind.String()+" "+c.reason, f.Kind.String()+" "+f.Reason)
				require.Contains(t, f.Message, c.says)
			})
		}
		require.Equal(t, map[string]string{"rule_id": first.ID.String()}, d.refuse(t, "+44 SMS Beta").Metadata)
		require.Equal(t, map[string]string{"operator_id": id(7).String(), "field": "candidates[1].operator_id"}, d.refuse(t, "+46 Alpha Gone").Metadata)
	})
}

func TestAConflictTellsEveryFindingWithItsWitness(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		d.add(t, "+4 SMS Beta")
		d.add(t, "+44 SMS Alpha")
		d.add(t, "+44 FLASH Alpha")
		f := d.refuse(t, "+44 COST fall Alpha@0.01EUR Beta@0.01USD Gamma")
		require.Contains(t, f.Message, "More conflicts: 3.")
		require.Len(t, f.Violations, 4)
		require.Equal(t, "message_types", f.Violations[3].Field)
		require.Contains(t, f.Violations[0].Description, "Example: +44")
		require.Equal(t, "candidates", f.Violations[0].Field)

		var conflict *operators.Conflict
		require.ErrorAs(t, error(f), &conflict)
		require.Equal(t, []string{
			operators.FindingMixedCurrencies, operators.FindingNoRate, operators.FindingOverlap, operators.FindingOverlap, operators.FindingNothingShorter,
		}, reasons(conflict.Findings))
		require.Equal(t, []int{4, 1}, []int{conflict.Errors, conflict.Warnings})
		require.Equal(t, "4 errors and 1 warnings of the conflict checker", conflict.Error())
		for _, finding := range conflict.Findings {
			require.Contains(t, strings.ToLower(finding.Message), "the new global rule for +44")
			require.Equal(t, uuid.Nil, finding.Rules[0], "a rule that is not stored has no id that anybody could look up")
			require.True(t, strings.HasPrefix(finding.Witness.Raw(), "+44"))
		}
	})
}

func TestOnlyWhatIsAboutTheRuleIsTold(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		d.add(t, "+4 SMS Alpha")
		d.add(t, "+44 SMS Beta")
		d.add(t, "+449 SMS Sleeper")
		// What was stored before there was a checker does not stand in the way of others.
		d.in(t, func(ctx context.Context, tx operators.Tx) error {
			rule := theRule(5, "+4 SMS|FLASH Alpha")
			rule.Version, rule.CreatedAt, rule.UpdatedAt = 1, deskTime, deskTime
			return tx.PutRules(ctx, []operators.Rule{rule}, nil)
		})
		made, warnings, err := d.rules.CreateRule(t.Context(), someone, theRule(0, "+447 SMS Alpha"))
		require.NoError(t, err)
		require.Equal(t, []string{operators.FindingShadowed}, reasons(warnings))
		require.Equal(t, made.ID, warnings[0].Rules[0], "it is stored by now")
	})
}

func TestARehearsalDoesEverythingButStore(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		rule := d.add(t, "+44 SMS fall Alpha")
		before, wakes := d.state(t), d.wakes.Load()
		made, warnings, err := d.rules.CreateRule(t.Context(), dryRequest(), theRule(0, "+447 SMS Beta"))
		require.NoError(t, err)
		require.Equal(t, "447", string(made.Prefix))
		require.Equal(t, []string{operators.FindingShadowed}, reasons(warnings))
		require.Equal(t, []uuid.UUID{uuid.Nil, rule.ID}, warnings[0].Rules)
		_, _, err = d.rules.CreateRule(t.Context(), dryRequest(), theRule(0, "+44 Beta"))
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonConflict)
		changed, _, err := d.rules.UpdateRule(t.Context(), dryRequest(), operators.Rule{ID: rule.ID, Country: "GB"}, "", []string{"country"})
		require.NoError(t, err)
		require.Equal(t, "GB", changed.Country)
		require.NoError(t, d.drop(t, dryRequest(), operators.Target{ID: rule.ID}))
		require.Equal(t, before, d.state(t))
		require.Equal(t, wakes, d.wakes.Load())
		require.Equal(t, rule, d.rule(t, rule.ID))
	})
}

func TestARepeatedRequestChangesNothingAndAnswersThePresentState(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		text := theRule(0, "+44 SMS Alpha")
		created, _, err := d.rules.CreateRule(t.Context(), askedAs("create"), text)
		require.NoError(t, err)
		update := operators.Rule{ID: created.ID, Country: "GB"}
		updated, _, err := d.rules.UpdateRule(t.Context(), askedAs("update"), update, "", []string{"country"})
		require.NoError(t, err)
		before := d.state(t)
		for _, id := range []string{"create", "update"} {
			again, warnings, err := d.rules.CreateRule(t.Context(), askedAs(id), text)
			if id == "update" {
				again, warnings, err = d.rules.UpdateRule(t.Context(), askedAs(id), update, "old", []string{"country"})
			}
			require.NoError(t, err)
			require.Empty(t, warnings)
			require.Equal(t, updated, again)
		}
		require.Equal(t, before, d.state(t))
		other := askedAs("create")
		other.Fingerprint = "another"
		_, _, err = d.rules.CreateRule(t.Context(), other, theRule(0, "+45 SMS Alpha"))
		wantFault(t, err, fault.InvalidArgument, operators.ReasonRequestReused)

		require.NoError(t, d.drop(t, askedAs("delete"), operators.Target{ID: created.ID}))
		gone := d.state(t)
		require.NoError(t, d.drop(t, askedAs("delete"), operators.Target{ID: created.ID}))
		_, _, err = d.rules.CreateRule(t.Context(), askedAs("create"), text)
		wantFault(t, err, fault.NotFound, operators.ReasonNoSuchRule)
		require.Equal(t, map[string]string{"rule_id": created.ID.String()}, fault.From(err).Metadata)
		require.Contains(t, fault.From(err).Message, "carried out before")
		require.Equal(t, gone, d.state(t))
	})
}

func TestAnUpdateOfARuleChangesTheFieldsThatItsMaskNames(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		from := theRule(0, "+99 WAP WEIGHTED fall off from=1h to=2h Beta/4/5@1EUR")
		from.Country, from.Description, from.Account = "GB", "new", accounts["A"]
		for _, c := range []struct {
			mask   string
			change func(r *operators.Rule)
		}{
			{"country", func(r *operators.Rule) { r.Country = "GB" }},
			{"description", func(r *operators.Rule) { r.Description = "new" }},
			{"strategy", func(r *operators.Rule) { r.Strategy = operators.Weighted }},
			{"on_exhausted", func(r *operators.Rule) { r.OnExhausted = operators.FallThrough }},
			{"active", func(r *operators.Rule) { r.Active = false }},
			{"valid_from", func(r *operators.Rule) { r.ValidFrom = from.ValidFrom }},
			{"valid_to", func(r *operators.Rule) { r.ValidTo = from.ValidTo }},
			{"candidates", func(r *operators.Rule) {
				r.Candidates = []operators.Candidate{from.Candidates[0]}
				r.Candidates[0].OperatorName = "Beta"
			}},
			{"country,candidates", nil},
			{"country,description,country", func(r *operators.Rule) { r.Country, r.Description = "GB", "new" }},
		} {
			t.Run(c.mask, func(t *testing.T) {
				old := d.add(t, "+44 SMS Alpha")
				d.clock.Advance(time.Minute)
				config, rules := d.versions(t)
				from := from
				from.ID = old.ID
				if c.change == nil {
					// The candidates as a caller gives them, without names.
					from.Candidates = theRule(0, "+44 Alpha").Candidates
					c.change = func(r *operators.Rule) { r.Country = "GB" }
				}
				r := someone
				r.Actor = "another"
				updated, _, err := d.rules.UpdateRule(t.Context(), r, from, old.ETag(), strings.Split(c.mask, ","))
				require.NoError(t, err)
				want := old
				c.change(&want)
				want.Version, want.UpdatedAt, want.UpdatedBy = 2, d.clock.Now(), "another"
				require.Equal(t, want, updated)
				require.Equal(t, want, d.rule(t, old.ID))
				require.NotEqual(t, old.ETag(), updated.ETag())
				configAfter, rulesAfter := d.versions(t)
				require.Equal(t, []int{config + 1, rules + 1}, []int{configAfter, rulesAfter})
				var entry struct{ Action, Before, After string }
				require.NoError(t, d.db.NewRaw("SELECT action, before, after FROM audit_log ORDER BY audit_id DESC LIMIT 1").Scan(t.Context(), &entry))
				require.Equal(t, "rule.update", entry.Action)
				require.Contains(t, entry.Before, `"version":1`)
				require.Contains(t, entry.After, `"version":2`)
				var subject string
				require.NoError(t, d.db.NewRaw("SELECT subject FROM outbox ORDER BY created_at DESC, event_id DESC LIMIT 1").Scan(t.Context(), &subject))
				require.Equal(t, "operator.config.updated", subject)
				require.NoError(t, d.drop(t, someone, operators.Target{ID: old.ID}))
			})
		}
	})
}

func TestAnUpdateThatCannotBeIsRefused(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		rule := d.add(t, "+44 SMS Alpha")
		other := d.add(t, "+44 SMS|FLASH off Beta")
		before := d.state(t)
		update := func(change operators.Rule, etag string, mask ...string) error {
			_, _, err := d.rules.UpdateRule(t.Context(), someone, change, etag, mask)
			return err
		}
		wantFault(t, update(operators.Rule{ID: rule.ID}, ""), fault.InvalidArgument, operators.ReasonUpdateMask)
		wantFault(t, update(operators.Rule{ID: rule.ID}, "", "prefix"), fault.InvalidArgument, operators.ReasonUpdateMask)
		wantFault(t, update(operators.Rule{ID: rule.ID}, "old", "country"), fault.Aborted, operators.ReasonETag)
		wantFault(t, update(operators.Rule{ID: uuid.New()}, "", "country"), fault.NotFound, operators.ReasonNoSuchRule)
		wantFault(t, update(operators.Rule{ID: rule.ID}, "", "candidates"), fault.InvalidArgument, operators.ReasonInvalid)
		wantFault(t, update(operators.Rule{ID: rule.ID, Strategy: operators.Cost}, "", "strategy"), fault.FailedPrecondition, operators.ReasonConflict)
		wantFault(t, update(operators.Rule{ID: other.ID, Active: true}, "", "active"), fault.FailedPrecondition, operators.ReasonConflict)
		wantFault(t, update(withID(theRule(0, "+1 Gone"), rule.ID), "", "candidates"), fault.NotFound, operators.ReasonNoSuchOperator)
		require.Equal(t, before, d.state(t))

		// The same again is no change.
		require.NoError(t, update(operators.Rule{ID: rule.ID, Active: true}, rule.ETag(), "active", "country"))
		require.Equal(t, before, d.state(t))
	})
}

// What went wrong elsewhere must not keep people from putting it right.
func TestARuleInConflictCanBeDescribedAndSwitchedOff(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		rule := d.add(t, "+44 SMS Alpha Beta")
		d.in(t, func(ctx context.Context, tx operators.Tx) error {
			beta, err := tx.Operator(ctx, id(2))
			beta.DeletedAt = deskTime
			return errors.Join(err, tx.PutOperators(ctx, []operators.Operator{beta}))
		})
		_, warnings, err := d.rules.UpdateRule(t.Context(), someone, operators.Rule{ID: rule.ID, Description: "broken"}, "", []string{"description"})
		require.NoError(t, err)
		require.Empty(t, warnings)
		_, _, err = d.rules.UpdateRule(t.Context(), someone, operators.Rule{ID: rule.ID, OnExhausted: operators.FallThrough}, "", []string{"on_exhausted"})
		wantFault(t, err, fault.FailedPrecondition, operators.ReasonConflict)
		require.Contains(t, err.Error(), `names operator "Beta", which was deleted`)
		_, _, err = d.rules.UpdateRule(t.Context(), someone, operators.Rule{ID: rule.ID}, "", []string{"active"})
		require.NoError(t, err)
		_, _, err = d.rules.UpdateRule(t.Context(), someone, withID(theRule(0, "+1 Alpha"), rule.ID), "", []string{"candidates", "active"})
		require.NoError(t, err)
	})
}

func TestADeletedRuleIsGoneAndItsKeyIsFree(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		rule := d.add(t, "+44 SMS Alpha")
		wantFault(t, d.drop(t, someone, operators.Target{ID: rule.ID, ETag: "old"}), fault.Aborted, operators.ReasonETag)
		wantFault(t, d.drop(t, someone, operators.Target{ID: uuid.New()}), fault.NotFound, operators.ReasonNoSuchRule)
		d.clock.Advance(time.Minute)
		config, rules := d.versions(t)
		require.NoError(t, d.drop(t, someone, operators.Target{ID: rule.ID, ETag: rule.ETag()}))
		configAfter, rulesAfter := d.versions(t)
		require.Equal(t, []int{config + 1, rules + 1}, []int{configAfter, rulesAfter})
		_, _, err := d.rules.GetRule(t.Context(), rule.ID)
		wantFault(t, err, fault.NotFound, operators.ReasonNoSuchRule)
		wantFault(t, d.drop(t, someone, operators.Target{ID: rule.ID}), fault.NotFound, operators.ReasonNoSuchRule)
		require.Empty(t, d.list(t, operators.RuleFilter{Limit: 10}))
		var row struct {
			Version   int
			UpdatedBy string
			DeletedAt time.Time
		}
		require.NoError(t, d.db.NewRaw("SELECT version, updated_by, deleted_at FROM routing_rules").Scan(t.Context(), &row))
		require.Equal(t, 2, row.Version)
		require.True(t, d.clock.Now().Equal(row.DeletedAt))
		var entry struct {
			Action, Before string
			After          *string
		}
		require.NoError(t, d.db.NewRaw("SELECT action, before, after FROM audit_log ORDER BY audit_id DESC LIMIT 1").Scan(t.Context(), &entry))
		require.Equal(t, "rule.delete", entry.Action)
		require.Contains(t, entry.Before, `"prefix":"+44"`)
		require.Nil(t, entry.After)
		require.NotEqual(t, rule.ID, d.add(t, "+44 SMS Alpha").ID)
	})
}

// The failure mode of SPEC 6.8, for rules.
func TestOfTenEqualCreatesAtOnceOneWins(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		const callers = 10
		results := make([]error, callers)
		ready := make(chan struct{})
		var group sync.WaitGroup
		for i := range results {
			group.Go(func() {
				<-ready
				_, _, results[i] = d.rules.CreateRule(t.Context(), someone, theRule(0, "+44 of=A SMS Alpha"))
			})
		}
		close(ready)
		group.Wait()
		winners := 0
		for _, err := range results {
			if err == nil {
				winners++
				continue
			}
			wantFault(t, err, fault.AlreadyExists, operators.ReasonDuplicateRule)
			require.NotEmpty(t, fault.From(err).Metadata["rule_id"])
		}
		require.Equal(t, 1, winners)
		require.Equal(t, 1, d.count(t, "routing_rules"))
		require.Equal(t, 1, d.count(t, "outbox"))
		require.Equal(t, 1, d.count(t, "audit_log"))
	})
}

func TestDescriptionsOfRulesAreBounded(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"500 characters of two bytes", strings.Repeat("é", 500), ""},
		{"501 characters", strings.Repeat("x", 501), "must have at most 500 characters"},
		{"lines and tabs", "a\r\n\tb", ""},
		{"another control character", "a\x00b", "must hold no control characters but line ends and tabs"},
		{"no UTF-8", "a\xff", "must be UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := theRule(0, "+44 Alpha")
			rule.Description = c.text
			if c.want == "" {
				require.NoError(t, rule.Validate())
				return
			}
			require.Equal(t, []fault.Violation{{Field: "description", Description: c.want}}, fault.From(rule.Validate()).Violations)
		})
	}
}
