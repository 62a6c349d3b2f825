package database_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
)

// auditedImport is what the audit log holds of an import.
type auditedImport struct {
	Created, Updated, Unchanged int64
	Changes                     []struct {
		ID, Name      string
		Before, After map[string]any
	}
	Omitted int64 `json:"changes_omitted"`
}

func (k kit) lastImport(t *testing.T) (all auditedImport) {
	t.Helper()
	audit := k.audit(t)
	last := audit[len(audit)-1]
	require.Nil(t, last.Before)
	require.NoError(t, json.Unmarshal([]byte(*last.After), &all))
	return all
}

func TestTheAuditOfAnImportOfRulesNamesThemAndWhatChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.rules(t, ruleHeader+",+44,GB,,PRIORITY,,Alpha,1,,,\n,+45,,,PRIORITY,,Alpha,1,,,\n")
		k.rules(t, ruleHeader+",+44,,,PRIORITY,,Alpha,1,,,\n,+45,,,PRIORITY,,Alpha,1,,,\n,+46,,,PRIORITY,,Beta,1,,,\n")
		got := k.lastImport(t)
		require.Equal(t, []int64{1, 1, 1, 0}, []int64{got.Created, got.Updated, got.Unchanged, got.Omitted})
		require.Len(t, got.Changes, 2)
		require.Equal(t, "+44", got.Changes[0].Name)
		require.Equal(t, map[string]any{"country": "GB", "version": 1.0}, got.Changes[0].Before)
		require.Equal(t, map[string]any{"version": 2.0}, got.Changes[0].After, "it has no country any more")
		require.Equal(t, "+46", got.Changes[1].Name)
		require.Nil(t, got.Changes[1].Before)
		require.Equal(t, "PRIORITY", got.Changes[1].After["strategy"])
		ids := map[string]string{}
		for _, rule := range k.allRules(t) {
			ids[rule.Prefix.String()] = rule.ID.String()
		}
		require.Equal(t, []string{ids["+44"], ids["+46"]}, []string{got.Changes[0].ID, got.Changes[1].ID})
	})
}

func TestTheAuditOfAnImportOf500OperatorsIsWholeAndThatOfManyIsBounded(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		file := func(n, tps int) string {
			var csv strings.Builder
			csv.WriteString(operatorHeader)
			for i := range n {
				fmt.Fprintf(&csv, "Carrier %04d,smsc-%04d.carrier.example,2775,system%04d,TRANSCEIVER,%d,SMS|FLASH|WAP,\n", i, i, i, tps)
			}
			return csv.String()
		}
		require.EqualValues(t, 500, k.operators(t, file(500, 1)).Created)
		got := k.lastImport(t)
		require.Len(t, got.Changes, 500)
		require.Zero(t, got.Omitted)
		for _, change := range got.Changes {
			require.Equal(t, change.Name, change.After["name"])
		}

		k.operators(t, file(3_000, 2))
		got = k.lastImport(t)
		require.EqualValues(t, []int64{2_500, 500, 2_000}, []int64{got.Created, got.Updated, got.Omitted})
		require.Len(t, got.Changes, 1000)
		require.Equal(t, 1.0, got.Changes[0].Before["version"])
		audit := k.audit(t)
		require.Less(t, len(*audit[1].After), 1<<20)
		require.Len(t, audit, 2, "one row for each change that was asked for")
	})
}

func TestTheStatesInTheAuditOfAnImportAreBoundedInBytes(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		var csv strings.Builder
		csv.WriteString(operatorHeader)
		for i := range 60 {
			fmt.Fprintf(&csv, "Op%d,op%d.example,2775,op%d,TRANSCEIVER,1,SMS,ACTIVE\n", i, i, i)
		}
		k.operators(t, csv.String())
		csv.Reset()
		csv.WriteString(ruleHeader)
		for prefix := range 200 {
			for i := range 60 {
				fmt.Fprintf(&csv, ",+44%d,,,PRIORITY,,Op%d,%d,,,\n", 1000+prefix, i, i+1)
			}
		}
		require.EqualValues(t, 200, k.rules(t, csv.String()).Created)
		got := k.lastImport(t)
		require.Len(t, got.Changes, 200)
		require.NotNil(t, got.Changes[0].After)
		require.Nil(t, got.Changes[199].After)
		require.Equal(t, "+441199", got.Changes[199].Name)
		audit := k.audit(t)
		require.Less(t, len(*audit[1].After), 600<<10)
	})
}

func TestAnImportWarnsOfRulesThatItLeavesWithoutAnOperator(t *testing.T) {
	const (
		alpha, beta = "Alpha,a.example,2775,alpha,TRANSCEIVER,100,%s,%s\n", "Beta,b.example,2775,beta,TRANSMITTER,50,SMS,%s\n"
		both        = operatorHeader + alpha + beta
	)
	for _, c := range []struct {
		name, file string
		// want are the prefixes that are warned of, and the line that is to blame.
		want map[string]int64
	}{
		{"suspending the only operator", fmt.Sprintf(operatorHeader+alpha, "SMS|FLASH", "SUSPENDED"), map[string]int64{"+44": 2}},
		{"suspending all operators", fmt.Sprintf(both, "SMS|FLASH", "SUSPENDED", "SUSPENDED"), map[string]int64{"+44": 2, "+45": 2}},
		{"suspending one of two", fmt.Sprintf(operatorHeader+beta, "SUSPENDED"), nil},
		{"making it a receiver", fmt.Sprintf(operatorHeader+strings.Replace(alpha, "TRANSCEIVER", "RECEIVER", 1), "SMS|FLASH", "ACTIVE"), map[string]int64{"+44": 2}},
		{"taking a message type away", fmt.Sprintf(operatorHeader+alpha, "FLASH", "ACTIVE"), map[string]int64{"+44": 2}},
		{"taking away a type that no rule needs", fmt.Sprintf(operatorHeader+alpha, "SMS", "ACTIVE"), nil},
		{"giving another the traffic", fmt.Sprintf(operatorHeader+alpha+"Gamma,10.0.0.1,2776,gamma,TRANSCEIVER,1,SMS,ACTIVE\n", "SMS|FLASH", "SUSPENDED"), map[string]int64{"+44": 2}},
		{"a limit", strings.Replace(fmt.Sprintf(both, "SMS|FLASH", "ACTIVE", "ACTIVE"), ",100,", ",7,", 1), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, k kit) {
				k.operators(t, three)
				// Gamma cannot send, so the rule of +49 has no operator before either; that of +48 is switched off.
				k.rules(t, ruleHeader+",+44,,SMS,PRIORITY,,Alpha,1,,,\n,+45,,SMS,PRIORITY,,Alpha,1,,,\n,+45,,SMS,PRIORITY,,Beta,2,,,\n"+
					",+48,,SMS,PRIORITY,,Alpha,1,,,\n,+49,,SMS,PRIORITY,,Gamma,1,,,\n")
				_, err := k.db.NewRaw("UPDATE routing_rules SET active = false WHERE prefix = '+48'").Exec(t.Context())
				require.NoError(t, err)
				dry := someone
				dry.ValidateOnly = true
				preview, err := k.importer.ImportOperators(t.Context(), dry, []byte(c.file), nil)
				require.NoError(t, err)
				result := k.operators(t, c.file)
				require.Empty(t, result.BadLines)
				require.Equal(t, preview.Warnings, result.Warnings, "a preview tells them, too")
				require.Equal(t, preview.WarningCount, result.WarningCount)
				got := map[string]int64{}
				for _, w := range result.Warnings {
					if w.Reason == operators.WarnRuleWithoutOperator {
						require.Regexp(t, `^\+4[45]\d{10}$`, w.Witness)
						require.Contains(t, w.Message, "has no usable operator")
						got[w.Witness[:3]] = w.Line
					}
				}
				if c.want == nil {
					c.want = map[string]int64{}
				}
				require.Equal(t, c.want, got)
			})
		})
	}
}

func TestTheRulesThatAnImportLeavesWithoutAnOperatorAreAllCountedAndTheFirstTold(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		var csv strings.Builder
		csv.WriteString(ruleHeader)
		for i := range operators.MaxWarnings + 20 {
			fmt.Fprintf(&csv, ",+44%d,,SMS,PRIORITY,,Alpha,1,,,\n", 1000+i)
		}
		k.rules(t, csv.String())
		result := k.operators(t, operatorHeader+"Alpha,a.example,2775,alpha,TRANSCEIVER,100,SMS|FLASH,SUSPENDED\n")
		require.Len(t, result.Warnings, operators.MaxWarnings)
		require.EqualValues(t, operators.MaxWarnings+20, result.WarningCount)
	})
}
