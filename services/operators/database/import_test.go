package database_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

func TestOperatorsAreCreatedUpdatedAndLeftAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		result := k.operators(t, three)
		require.Equal(t, operators.Result{Created: 3, Applied: true, ConfigVersion: 2, WarningCount: 2, Warnings: []operators.ImportWarning{
			{Line: 2, Reason: "NO_CREDENTIALS", Message: `The operator "Alpha" is ACTIVE and has no password: give it one with RotateCredentials.`},
			{Line: 3, Reason: "NO_CREDENTIALS", Message: `The operator "Beta" is ACTIVE and has no password: give it one with RotateCredentials.`},
		}}, result)
		config, rules := k.versions(t)
		require.EqualValues(t, 2, config)
		require.EqualValues(t, 1, rules, "no rule changed")
		before := k.allOperators(t)
		require.Equal(t, "Alpha", before[0].Name)
		require.Equal(t, operators.SMS|operators.Flash, before[0].MessageTypes)
		require.Equal(t, operators.SMS, before[1].MessageTypes)
		require.Equal(t, operators.Inactive, before[2].Status)
		require.EqualValues(t, 1, before[0].Version)
		require.EqualValues(t, 7, before[0].ID.Version())
		require.Equal(t, k.clock.Now(), before[0].CreatedAt)

		k.clock.Advance(time.Hour)
		result = k.operators(t, operatorHeader+
			"Alpha,a.example,2775,alpha,TRANSCEIVER,200,SMS|FLASH,\n"+
			"Beta,b.example,2775,beta,TRANSMITTER,50,SMS,ACTIVE\n"+
			"Delta,d.example,1,delta,TRANSCEIVER,1,SMS,ACTIVE\n")
		require.Len(t, result.Warnings, 1, "only what becomes ACTIVE is warned of")
		require.EqualValues(t, 4, result.Warnings[0].Line)
		result.Warnings = nil
		require.Equal(t, operators.Result{Created: 1, Updated: 1, Unchanged: 1, Applied: true, ConfigVersion: 3, WarningCount: 1}, result)
		after := k.allOperators(t)
		require.Len(t, after, 4, "Gamma, which the file does not name, stays")
		alpha := before[0]
		alpha.MaxTPS, alpha.Version, alpha.UpdatedAt = 200, 2, k.clock.Now()
		require.Equal(t, "someone", alpha.CreatedBy)
		require.Equal(t, alpha, after[0], "an empty status keeps the present one")
		require.Equal(t, before[1], after[1])
		require.Equal(t, before[2], after[3])
		first, then := k.clock.Now().Add(-time.Hour), k.clock.Now()
		require.Equal(t, []event{
			{Subject: "operator.config.created", Traceparent: someone.Traceparent, ConfigVersion: 2, OccurredAt: first},
			{Subject: "operator.config.created", Traceparent: someone.Traceparent, ConfigVersion: 3, OccurredAt: then},
			{Subject: "operator.config.updated", Traceparent: someone.Traceparent, ConfigVersion: 3, OccurredAt: then},
		}, k.events(t))
		require.EqualValues(t, 2, k.told.wakes.Load())
		audit := k.audit(t)
		require.JSONEq(t, `{"created":1,"updated":1,"unchanged":1,"changes":[
			{"id":"`+alpha.ID.String()+`","name":"Alpha",
				"before":{"tps_limit":{"max_tps":100,"burst_multiplier":1.5,"enforcement_mode":"HARD_REJECT"},"version":1},
				"after":{"tps_limit":{"max_tps":200,"burst_multiplier":1.5,"enforcement_mode":"HARD_REJECT"},"version":2}},
			{"id":"`+after[2].ID.String()+`","name":"Delta","after":{
				"operator_id":"`+after[2].ID.String()+`","name":"Delta","host":"d.example","port":1,"system_id":"delta","bind_type":"TRANSCEIVER",
				"tps_limit":{"max_tps":1,"burst_multiplier":1.5,"enforcement_mode":"HARD_REJECT"},"message_types":["SMS"],"status":"ACTIVE",
				"credentials_version":0,"version":1}}
		]}`, *audit[1].After)
		audit[0].After, audit[1].After = nil, nil
		require.Equal(t, []record{
			{Actor: "someone", RequestID: "trace-1", Action: "operator.import", Entity: "operator", OccurredAt: first},
			{Actor: "someone", RequestID: "trace-1", Action: "operator.import", Entity: "operator", OccurredAt: then},
		}, audit)
	})
}

func TestAnImportThatChangesNothingRaisesNoVersionAndTellsNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.rules(t, ruleHeader+",+44,GB,,PRIORITY,,Alpha,1,,0.01,EUR\n,+44,GB,,PRIORITY,,Beta,2,,,\n")
		told := k.events(t)
		require.Equal(t, operators.Result{Unchanged: 3, Applied: true}, k.operators(t, three))
		require.Equal(t, operators.Result{Unchanged: 1, Applied: true},
			k.rules(t, ruleHeader+",+44,GB,,PRIORITY,FAIL,Beta,2,100,,\n,+44,GB,,PRIORITY,,Alpha,,,0.010,EUR\n"))
		config, rules := k.versions(t)
		require.EqualValues(t, 3, config)
		require.EqualValues(t, 2, rules)
		require.Equal(t, told, k.events(t))
		require.Len(t, k.audit(t), 2)
	})
}

func TestADryRunSaysWhatItWouldDoAndDoesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		dry := someone
		dry.ValidateOnly, dry.ID = true, "dry-1"
		result, err := k.importer.ImportOperators(t.Context(), dry, []byte(three), nil)
		require.NoError(t, err)
		require.Len(t, result.Warnings, 2)
		result.Warnings = nil
		require.Equal(t, operators.Result{Created: 3, WarningCount: 2}, result)
		require.Empty(t, k.allOperators(t))

		k.operators(t, three)
		result, err = k.importer.ImportRules(t.Context(), dry, []byte(ruleHeader+",+44,,,PRIORITY,,Alpha,,,,\n"), nil)
		require.NoError(t, err)
		require.Equal(t, operators.Result{Created: 1}, result)
		require.Empty(t, k.allRules(t))
		config, _ := k.versions(t)
		require.EqualValues(t, 2, config)
		require.Len(t, k.events(t), 1)
		require.Len(t, k.audit(t), 1)
	})
}

func TestOneBadLineKeepsTheWholeFileOut(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		result := k.operators(t, three+"Delta,d.example,0,delta,TRANSCEIVER,1,SMS,\n")
		require.Equal(t, operators.Result{BadLineCount: 1, BadLines: []operators.BadLine{
			{Line: 5, Column: "port", Message: "must be a whole number from 1 to 65535"},
		}}, result)
		require.Empty(t, k.allOperators(t))
		config, _ := k.versions(t)
		require.EqualValues(t, 1, config)
		require.Empty(t, k.events(t))
		require.Empty(t, k.audit(t))
	})
}

func TestWhatOnlyTheStoreCanKnowIsABadLineToo(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.rules(t, ruleHeader+",+44,,SMS|FLASH,PRIORITY,,Alpha,,,,\n,+45,,,PRIORITY,,Alpha,,,,\n")
		before, _ := k.versions(t)
		for _, c := range []struct {
			name, csv, column, message string
			kind                       func(*testing.T, string) operators.Result
		}{
			{"a connection that another operator has", operatorHeader + "Other,B.example,2775,beta,TRANSCEIVER,1,,\n", "host",
				`operator "Beta" has this host, port and system_id; if it gives them up, import that first`, k.operators},
			{"a status that cannot follow", operatorHeader + "Gamma,10.0.0.1,2776,gamma,RECEIVER,1,SMS,SUSPENDED\n", "status",
				"an operator that is INACTIVE cannot become SUSPENDED", k.operators},
			{"an operator that does not exist", ruleHeader + ",+46,,,PRIORITY,,Nobody,,,,\n", "operator",
				`there is no operator with the name or UUID "Nobody"`, k.rules},
			{"types that overlap with some", ruleHeader + ",+44,,FLASH;WAP,PRIORITY,,Alpha,,,,\n", "message_types",
				"The global rule for +44 (FLASH, WAP) and the global rule for +44 (SMS, FLASH) answer the same messages", k.rules},
			{"all types where there are some", ruleHeader + ",+44,,,PRIORITY,,Alpha,,,,\n", "message_types",
				"The global rule for +44 and the global rule for +44 (SMS, FLASH) answer the same messages", k.rules},
			{"some types where there are all", ruleHeader + ",+45,,WAP,PRIORITY,,Alpha,,,,\n", "message_types",
				"The global rule for +45 (WAP) and the global rule for +45 answer the same messages", k.rules},
		} {
			t.Run(c.name, func(t *testing.T) {
				result := c.kind(t, c.csv)
				require.Len(t, result.BadLines, 1)
				require.EqualValues(t, 2, result.BadLines[0].Line)
				require.Equal(t, c.column, result.BadLines[0].Column)
				require.Contains(t, result.BadLines[0].Message, c.message)
				require.False(t, result.Applied)
			})
		}
		after, _ := k.versions(t)
		require.Equal(t, before, after)
		// Another account or other types are no overlap.
		require.EqualValues(t, 2, k.rules(t, ruleHeader+account+",+44,,SMS,PRIORITY,,Alpha,,,,\n,+44,,WAP,PRIORITY,,Alpha,,,,\n").Created)
	})
}

func TestRulesAreStoredWithTheirCandidatesAndReplacedAsAWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		ids := map[string]uuid.UUID{}
		for _, o := range k.allOperators(t) {
			ids[o.Name] = o.ID
		}
		result := k.rules(t, ruleHeader+
			account+",+44,GB,SMS,PRIORITY,FALL_THROUGH,Beta,2,,,\n"+
			",+44,GB,,WEIGHTED,,Alpha,,0,0,EUR\n"+
			account+",+44,GB,SMS,PRIORITY,FALL_THROUGH,"+ids["Alpha"].String()+",1,,9.123456789,USD\n"+
			",+44,GB,,WEIGHTED,,Beta,,70,,\n")
		require.Equal(t, operators.Result{Created: 2, Applied: true, ConfigVersion: 3}, result)
		all := k.allRules(t)
		require.Len(t, all, 2)
		global, own := all[0], all[1]
		require.Equal(t, uuid.Nil, global.Account, "the global rule comes first")
		require.Equal(t, operators.Weighted, global.Strategy)
		require.Zero(t, global.MessageTypes)
		require.True(t, global.Active)
		require.Equal(t, account, own.Account.String())
		require.Equal(t, operators.FallThrough, own.OnExhausted)
		require.Len(t, own.Candidates, 2)
		require.Equal(t, "Alpha", own.Candidates[0].OperatorName, "candidates come by priority")
		require.Equal(t, "9.123456789 USD", own.Candidates[0].Price.String())
		require.True(t, own.Candidates[1].Price.IsZero())
		for _, c := range global.Candidates {
			require.Equal(t, c.OperatorName == "Alpha", !c.Price.IsZero(), "a price of 0 is a price")
		}

		// What files do not speak of stays: validity, being active, the id.
		_, err := k.db.NewRaw("UPDATE routing_rules SET active = false, valid_to = ? WHERE rule_id = ?",
			time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), global.ID).Exec(t.Context())
		require.NoError(t, err)
		k.clock.Advance(time.Minute)
		result = k.rules(t, ruleHeader+",+44,GB,,PRIORITY,,Gamma,,,,\n")
		require.Equal(t, operators.Result{Updated: 1, Applied: true, ConfigVersion: 4}, result)
		after := k.allRules(t)
		require.Equal(t, own, after[1])
		require.Equal(t, global.ID, after[0].ID)
		require.Equal(t, operators.Priority, after[0].Strategy)
		require.False(t, after[0].Active)
		require.Equal(t, 2030, after[0].ValidTo.Year())
		require.Equal(t, global.CreatedAt, after[0].CreatedAt)
		require.Equal(t, k.clock.Now(), after[0].UpdatedAt)
		require.Len(t, after[0].Candidates, 1)
		require.Equal(t, ids["Gamma"], after[0].Candidates[0].OperatorID)
		config, rules := k.versions(t)
		require.EqualValues(t, 4, config)
		require.EqualValues(t, 3, rules)
	})
}

func TestAnExportImportsAsUnchanged(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three+"'=cmd(),e.example,1,'-x,TRANSCEIVER,1,WAP,SUSPENDED\n")
		k.rules(t, ruleHeader+",+44,GB,SMS|WAP,PRIORITY,,'=cmd(),1,,,\n,+44,GB,SMS|WAP,PRIORITY,,Alpha,2,,0.5,EUR\n"+account+",+7,,,PRIORITY,,Beta,,,,\n")
		all := k.allOperators(t)
		require.Equal(t, "=cmd()", all[0].Name)
		require.Equal(t, "-x", all[0].SystemID)

		var file bytes.Buffer
		require.NoError(t, operators.WriteOperators(&file, all))
		require.Contains(t, file.String(), "\n'=cmd(),")
		require.Equal(t, operators.Result{Unchanged: 4, Applied: true}, k.operators(t, file.String()))
		file.Reset()
		require.NoError(t, operators.WriteRules(&file, k.allRules(t)))
		require.Equal(t, operators.Result{Unchanged: 2, Applied: true}, k.rules(t, file.String()))
	})
}

func TestListsComeInPagesThatMissAndRepeatNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		var names []string
		for filter := (operators.OperatorFilter{Limit: 2}); ; {
			page, more, _, err := k.store.ListOperators(t.Context(), filter)
			require.NoError(t, err)
			for _, o := range page {
				names = append(names, o.Name)
				filter.AfterName, filter.AfterID = o.Name, o.ID
			}
			if !more {
				break
			}
			require.Len(t, page, 2)
		}
		require.Equal(t, []string{"Alpha", "Beta", "Gamma"}, names)

		var csv strings.Builder
		csv.WriteString(ruleHeader)
		for i := range 10 {
			for _, line := range []string{",+44%d,,SMS,PRIORITY,,Alpha,,,,\n", ",+44%d,,WAP,PRIORITY,,Alpha,,,,\n", account + ",+44%d,,SMS,PRIORITY,,Beta,,,,\n"} {
				fmt.Fprintf(&csv, line, i)
			}
		}
		require.EqualValues(t, 30, k.rules(t, csv.String()).Created)
		want := k.allRules(t)
		var got []operators.Rule
		var after *operators.RuleKey
		for {
			page, more, _, err := k.store.ListRules(t.Context(), operators.RuleFilter{After: after, Limit: 7})
			require.NoError(t, err)
			got = append(got, page...)
			if !more {
				break
			}
			key := page[len(page)-1].Key()
			after = &key
		}
		require.Equal(t, want, got)
		require.Equal(t, "+440", got[0].Prefix.String())
		require.Equal(t, uuid.Nil, got[1].Account)
		require.Equal(t, account, got[2].Account.String())
	})
}

func TestDeletedRowsAreNotSeen(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.rules(t, ruleHeader+",+44,,,PRIORITY,,Alpha,,,,\n")
		for _, table := range []string{"operators", "routing_rules"} {
			_, err := k.db.NewRaw("UPDATE ? SET deleted_at = ?", bun.Ident(table), k.clock.Now()).Exec(t.Context())
			require.NoError(t, err)
		}
		require.Empty(t, k.allOperators(t))
		require.Empty(t, k.allRules(t))
		require.EqualValues(t, 1, k.rules(t, ruleHeader+",+44,,,PRIORITY,,Alpha,,,,\n").BadLineCount)
		require.EqualValues(t, 3, k.operators(t, three).Created)
		require.EqualValues(t, 1, k.rules(t, ruleHeader+",+44,,,PRIORITY,,Alpha,,,,\n").Created)
	})
}

func TestTheUniqueIndexIsTheLastGuard(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.rules(t, ruleHeader+",+44,,,PRIORITY,,Alpha,,,,\n")
		again := k.allOperators(t)[:1]
		again[0].ID = uuid.Must(uuid.NewV7())
		err := k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error { return tx.PutOperators(ctx, again) })
		requireFault(t, err, fault.AlreadyExists, operators.ReasonDuplicateOperator)
		rules := k.allRules(t)
		rules[0].ID = uuid.Must(uuid.NewV7())
		err = k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error { return tx.PutRules(ctx, rules, nil) })
		requireFault(t, err, fault.AlreadyExists, operators.ReasonDuplicateRule)
	})
}

func TestARowThatCannotBeReadIsInternalAndNamesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		_, err := k.db.NewRaw("UPDATE operators SET message_types = 'FAX' WHERE name = 'Alpha'").Exec(t.Context())
		require.NoError(t, err)
		_, _, err = k.store.LiveOperators(t.Context())
		requireFault(t, err, fault.Internal, fault.ReasonInternal)
		require.NotContains(t, err.Error(), "FAX")
	})
}

func TestAnImportKeepsWhatFilesDoNotSpeakOf(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		all := k.allOperators(t)
		alpha, beta := all[0], all[1]
		alpha.SystemType, alpha.BurstMultiplier, alpha.EnforcementMode = "VMA", 3, operators.SoftThrottle
		alpha.BackupID, alpha.Notes, alpha.CredentialsVersion = beta.ID, "call Ann", 4
		require.NoError(t, k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error {
			return tx.PutOperators(ctx, []operators.Operator{alpha})
		}))
		require.EqualValues(t, 3, k.operators(t, three).Unchanged)
		r := operators.Request{Actor: "another"}
		before := len(k.events(t))
		_, err := k.importer.ImportOperators(t.Context(), r, []byte(operatorHeader+"Alpha,a2.example,2775,alpha,TRANSCEIVER,7,SMS,INACTIVE\n"), nil)
		require.NoError(t, err)
		want := alpha
		want.Host, want.MaxTPS, want.MessageTypes, want.Status, want.Version = "a2.example", 7, operators.SMS, operators.Inactive, 2
		want.UpdatedBy = "another"
		require.Equal(t, want, k.allOperators(t)[0])
		require.True(t, k.events(t)[before].CredentialsChanged, "connectors have to bind anew")
		result, err := k.importer.ImportOperators(t.Context(), r, []byte(operatorHeader+"Alpha,a2.example,2775,alpha,TRANSCEIVER,8,SMS,ACTIVE\n"), nil)
		require.NoError(t, err)
		require.Empty(t, result.Warnings, "it has a password")
		require.False(t, k.events(t)[before+1].CredentialsChanged)

		refused := k.operators(t, operatorHeader+"Beta,b.example,2775,beta,RECEIVER,50,SMS,ACTIVE\n")
		require.Equal(t, []operators.BadLine{{
			Line: 2, Column: "bind_type", Message: `must not be RECEIVER, because the operator is the backup of "Alpha"`,
		}}, refused.BadLines)

		k.rules(t, ruleHeader+",+44,GB,,PRIORITY,,Alpha,,,,\n")
		rule := k.allRules(t)[0]
		require.Equal(t, "someone", rule.CreatedBy)
		rule.Description, rule.ValidTo = "kept", k.clock.Now().Add(time.Hour)
		require.NoError(t, k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error {
			return tx.PutRules(ctx, []operators.Rule{rule}, nil)
		}))
		_, err = k.importer.ImportRules(t.Context(), r, []byte(ruleHeader+",+44,GB,,FAILOVER,,Alpha,,,,\n"), nil)
		require.NoError(t, err)
		rule.Strategy, rule.Version, rule.UpdatedBy = operators.Failover, 2, "another"
		require.Equal(t, rule, k.allRules(t)[0])
	})
}

func TestTheConflictCheckerHasAWordInAnImportOfRules(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		result, err := k.importer.ImportRules(t.Context(), someone, []byte(ruleHeader+
			",+44,,,PRIORITY,FALL_THROUGH,Gamma,,,,\n,+45,,,COST,,Alpha,,,,\n"), nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, result.BadLineCount)
		require.EqualValues(t, 3, result.BadLines[0].Line)
		require.Equal(t, "price", result.BadLines[0].Column)
		require.Empty(t, k.allRules(t))

		result, err = k.importer.ImportRules(t.Context(), someone, []byte(ruleHeader+",+44,,,PRIORITY,FALL_THROUGH,Gamma,,,,\n"), nil)
		require.NoError(t, err)
		require.True(t, result.Applied)
		require.EqualValues(t, len(result.Warnings), result.WarningCount)
		reasons := map[string]bool{}
		for _, w := range result.Warnings {
			require.EqualValues(t, 2, w.Line)
			require.Regexp(t, `^\+44\d+$`, w.Witness)
			require.NotEmpty(t, w.Message)
			reasons[w.Reason] = true
		}
		require.Equal(t, map[string]bool{operators.FindingNoOperator: true, operators.FindingNothingShorter: true}, reasons)
	})
}
