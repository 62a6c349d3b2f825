package database_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/platform/fault"
)

func TestOperatorsAreCreatedUpdatedAndLeftAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		result := k.operators(t, three)
		require.Equal(t, operators.Result{Created: 3, Applied: true, ConfigVersion: 2}, result)
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
		require.Equal(t, operators.Result{Created: 1, Updated: 1, Unchanged: 1, Applied: true, ConfigVersion: 3}, result)
		after := k.allOperators(t)
		require.Len(t, after, 4, "Gamma, which the file does not name, stays")
		alpha := before[0]
		alpha.MaxTPS, alpha.Version, alpha.UpdatedAt = 200, 2, k.clock.Now()
		require.Equal(t, alpha, after[0], "an empty status keeps the present one")
		require.Equal(t, before[1], after[1])
		require.Equal(t, before[2], after[3])
		require.Equal(t, []operators.Change{
			{ConfigVersion: 2, OccurredAt: k.clock.Now().Add(-time.Hour), Created: true},
			{ConfigVersion: 3, OccurredAt: k.clock.Now(), Created: true, Updated: true},
		}, k.told.changes)
	})
}

func TestAnImportThatChangesNothingRaisesNoVersionAndTellsNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.rules(t, ruleHeader+",+44,GB,,PRIORITY,,Alpha,1,,0.01,EUR\n,+44,GB,,PRIORITY,,Beta,2,,,\n")
		told := len(k.told.changes)
		require.Equal(t, operators.Result{Unchanged: 3, Applied: true}, k.operators(t, three))
		require.Equal(t, operators.Result{Unchanged: 1, Applied: true},
			k.rules(t, ruleHeader+",+44,GB,,PRIORITY,FAIL,Beta,2,100,,\n,+44,GB,,PRIORITY,,Alpha,,,0.010,EUR\n"))
		config, rules := k.versions(t)
		require.EqualValues(t, 3, config)
		require.EqualValues(t, 2, rules)
		require.Len(t, k.told.changes, told)
	})
}

func TestADryRunSaysWhatItWouldDoAndDoesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		result, err := k.importer.ImportOperators(t.Context(), []byte(three), operators.Options{ValidateOnly: true})
		require.NoError(t, err)
		require.Equal(t, operators.Result{Created: 3}, result)
		require.Empty(t, k.allOperators(t))

		k.operators(t, three)
		result, err = k.importer.ImportRules(t.Context(), []byte(ruleHeader+",+44,,,COST,,Alpha,,,,\n"), operators.Options{ValidateOnly: true})
		require.NoError(t, err)
		require.Equal(t, operators.Result{Created: 1}, result)
		require.Empty(t, k.allRules(t))
		config, _ := k.versions(t)
		require.EqualValues(t, 2, config)
		require.Len(t, k.told.changes, 1)
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
		require.Empty(t, k.told.changes)
	})
}

func TestWhatOnlyTheStoreCanKnowIsABadLineToo(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.rules(t, ruleHeader+",+44,,SMS|FLASH,COST,,Alpha,,,,\n,+45,,,COST,,Alpha,,,,\n")
		before, _ := k.versions(t)
		for _, c := range []struct {
			name, csv, column, message string
			kind                       func(*testing.T, string) operators.Result
		}{
			{"a connection that another operator has", operatorHeader + "Other,B.example,2775,beta,TRANSCEIVER,1,,\n", "host",
				`operator "Beta" has this host, port and system_id; if it gives them up, import that first`, k.operators},
			{"a status that cannot follow", operatorHeader + "Gamma,10.0.0.1,2776,gamma,RECEIVER,1,SMS,SUSPENDED\n", "status",
				"an operator that is INACTIVE cannot become SUSPENDED", k.operators},
			{"an operator that does not exist", ruleHeader + ",+46,,,COST,,Nobody,,,,\n", "operator",
				`there is no operator with the name or UUID "Nobody"`, k.rules},
			{"types that overlap with some", ruleHeader + ",+44,,FLASH;WAP,COST,,Alpha,,,,\n", "message_types",
				"which has the same account and prefix and is for SMS,FLASH", k.rules},
			{"all types where there are some", ruleHeader + ",+44,,,COST,,Alpha,,,,\n", "message_types", "is for SMS,FLASH", k.rules},
			{"some types where there are all", ruleHeader + ",+45,,WAP,COST,,Alpha,,,,\n", "message_types", "is for all message types", k.rules},
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
		require.EqualValues(t, 2, k.rules(t, ruleHeader+account+",+44,,SMS,COST,,Alpha,,,,\n,+44,,WAP,COST,,Alpha,,,,\n").Created)
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
		result = k.rules(t, ruleHeader+",+44,GB,,COST,,Gamma,,,,\n")
		require.Equal(t, operators.Result{Updated: 1, Applied: true, ConfigVersion: 4}, result)
		after := k.allRules(t)
		require.Equal(t, own, after[1])
		require.Equal(t, global.ID, after[0].ID)
		require.Equal(t, operators.Cost, after[0].Strategy)
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
		k.rules(t, ruleHeader+",+44,GB,SMS|WAP,PRIORITY,,'=cmd(),1,,,\n,+44,GB,SMS|WAP,PRIORITY,,Alpha,2,,0.5,EUR\n"+account+",+7,,,COST,,Beta,,,,\n")
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
		for after := ""; ; after = names[len(names)-1] {
			page, more, err := k.store.ListOperators(t.Context(), after, 2)
			require.NoError(t, err)
			for _, o := range page {
				names = append(names, o.Name)
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
			for _, line := range []string{",+44%d,,SMS,COST,,Alpha,,,,\n", ",+44%d,,WAP,COST,,Alpha,,,,\n", account + ",+44%d,,SMS,COST,,Beta,,,,\n"} {
				fmt.Fprintf(&csv, line, i)
			}
		}
		require.EqualValues(t, 30, k.rules(t, csv.String()).Created)
		want := k.allRules(t)
		var got []operators.Rule
		var after *operators.RuleKey
		for {
			page, more, err := k.store.ListRules(t.Context(), after, 7)
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
		k.rules(t, ruleHeader+",+44,,,COST,,Alpha,,,,\n")
		for _, table := range []string{"operators", "routing_rules"} {
			_, err := k.db.NewRaw("UPDATE ? SET deleted_at = ?", bun.Ident(table), k.clock.Now()).Exec(t.Context())
			require.NoError(t, err)
		}
		require.Empty(t, k.allOperators(t))
		require.Empty(t, k.allRules(t))
		require.EqualValues(t, 1, k.rules(t, ruleHeader+",+44,,,COST,,Alpha,,,,\n").BadLineCount)
		require.EqualValues(t, 3, k.operators(t, three).Created)
		require.EqualValues(t, 1, k.rules(t, ruleHeader+",+44,,,COST,,Alpha,,,,\n").Created)
	})
}

func TestManyImportsAtOnceAllCountAndEachHasItsVersion(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		const imports = 8
		type outcome struct {
			result operators.Result
			err    error
		}
		outcomes := make(chan outcome)
		for i := range imports {
			importer := operators.NewImporter(k.store, &told{}, k.clock.Now, slog.New(slog.DiscardHandler))
			go func() {
				csv := fmt.Sprintf("%s,+44%d,,,COST,,Alpha,,,,\n,+33,,,COST,,Alpha,,,%d,EUR\n", ruleHeader, i, i)
				result, err := importer.ImportRules(context.Background(), []byte(csv), operators.Options{})
				outcomes <- outcome{result, err}
			}()
		}
		seen := map[int64]bool{}
		var created, updated int64
		for range imports {
			o := <-outcomes
			require.NoError(t, o.err)
			require.False(t, seen[o.result.ConfigVersion], "two imports have version %d", o.result.ConfigVersion)
			seen[o.result.ConfigVersion] = true
			created += o.result.Created
			updated += o.result.Updated
		}
		require.EqualValues(t, imports+1, created)
		require.EqualValues(t, imports-1, updated)
		config, rules := k.versions(t)
		require.EqualValues(t, 2+imports, config)
		require.EqualValues(t, 1+imports, rules)
	})
}

func TestAnOperatorThatIsDeletedMeanwhileAbortsTheImport(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		store := &deletesBetween{Store: k.store, db: k.db}
		importer := operators.NewImporter(store, k.told, k.clock.Now, slog.New(slog.DiscardHandler))
		_, err := importer.ImportRules(t.Context(), []byte(ruleHeader+",+44,,,COST,,Alpha,,,,\n"), operators.Options{})
		requireFault(t, err, fault.Aborted, operators.ReasonOperatorsChanged)
		require.Empty(t, k.allRules(t))
	})
}

type deletesBetween struct {
	*database.Store
	db *bun.DB
}

func (d *deletesBetween) InTx(ctx context.Context, do func(context.Context, operators.Tx) error) error {
	if _, err := d.db.NewRaw("UPDATE operators SET deleted_at = created_at WHERE name = 'Alpha'").Exec(ctx); err != nil {
		return err
	}
	return d.Store.InTx(ctx, do)
}

func TestTheUniqueIndexIsTheLastGuard(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.rules(t, ruleHeader+",+44,,,COST,,Alpha,,,,\n")
		again := k.allOperators(t)[:1]
		again[0].ID = uuid.Must(uuid.NewV7())
		err := k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error { return tx.PutOperators(ctx, again) })
		requireFault(t, err, fault.AlreadyExists, database.ReasonDuplicateOperator)
		rules := k.allRules(t)
		rules[0].ID = uuid.Must(uuid.NewV7())
		err = k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error { return tx.PutRules(ctx, rules, nil) })
		requireFault(t, err, fault.AlreadyExists, database.ReasonDuplicateRule)
	})
}

func TestARowThatCannotBeReadIsInternalAndNamesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		_, err := k.db.NewRaw("UPDATE operators SET message_types = 'FAX' WHERE name = 'Alpha'").Exec(t.Context())
		require.NoError(t, err)
		_, err = k.store.LiveOperators(t.Context())
		requireFault(t, err, fault.Internal, fault.ReasonInternal)
		require.NotContains(t, err.Error(), "FAX")
	})
}
