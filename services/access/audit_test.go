package access

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func auditRow(action string) AuditRow {
	after := `{"name":"Nordlink"}`
	return AuditRow{
		ID: uuid.MustParse("0190a8f0-0000-7000-8000-000000000001"), At: time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC),
		Actor: "key:1", RequestID: "r-1", Action: action, Entity: "operator", EntityID: "o-1", After: &after,
	}
}

func TestEveryColumnIsSealed(t *testing.T) {
	base := auditRow("operator.create")
	seal := base.Seal(7, AuditHash{1})
	text, empty := "x", ""
	for name, change := range map[string]func(*AuditRow){
		"id":                     func(r *AuditRow) { r.ID[15]++ },
		"time":                   func(r *AuditRow) { r.At = r.At.Add(time.Microsecond) },
		"actor":                  func(r *AuditRow) { r.Actor = "key:2" },
		"request":                func(r *AuditRow) { r.RequestID = "" },
		"action":                 func(r *AuditRow) { r.Action = "operator.delete" },
		"entity":                 func(r *AuditRow) { r.Entity = "rule" },
		"entity id":              func(r *AuditRow) { r.EntityID = "o-2" },
		"before":                 func(r *AuditRow) { r.Before = &text },
		"empty is not nothing":   func(r *AuditRow) { r.Before = &empty },
		"after":                  func(r *AuditRow) { r.After = nil },
		"a letter changes sides": func(r *AuditRow) { r.Actor, r.RequestID = "key:1r", "-1" },
	} {
		t.Run(name, func(t *testing.T) {
			changed := base
			change(&changed)
			require.NotEqual(t, seal, changed.Seal(7, AuditHash{1}))
		})
	}
	require.NotEqual(t, seal, base.Seal(8, AuditHash{1}), "the place")
	require.NotEqual(t, seal, base.Seal(7, AuditHash{2}), "the hash before")
	other := base
	other.At = base.At.In(time.FixedZone("x", 3600))
	other.Sequence, other.Hash = 7, seal
	require.Equal(t, seal, other.Seal(7, AuditHash{1}), "the zone and the seal itself do not count")
	require.Equal(t, 11, reflect.TypeFor[AuditRow]().NumField(), "a new column must be sealed too")
}

func chain(n int) []AuditLink {
	var links []AuditLink
	var head AuditHash
	for i := range n {
		row := auditRow("operator.update")
		row.ID[15] = byte(i)
		head = row.Seal(int64(i+1), head)
		links = append(links, AuditLink{Sequence: int64(i + 1), ID: row.ID, Hash: head, Row: &row})
	}
	return links
}

func TestAChainIsRightUntilItsFirstDefect(t *testing.T) {
	for name, c := range map[string]struct {
		spoil    func(links []AuditLink) []AuditLink
		reason   string
		sequence int64
	}{
		"nothing is wrong":        {func(l []AuditLink) []AuditLink { return l }, "", 0},
		"a row was changed":       {func(l []AuditLink) []AuditLink { l[2].Row.Actor = "somebody else"; return l }, DefectRowChanged, 3},
		"a hash was changed":      {func(l []AuditLink) []AuditLink { l[2].Hash[0]++; return l }, DefectRowChanged, 3},
		"a row was taken out":     {func(l []AuditLink) []AuditLink { l[2].Row = nil; return l }, DefectRowMissing, 3},
		"a link was taken out":    {func(l []AuditLink) []AuditLink { return append(l[:2], l[3:]...) }, DefectLinkMissing, 3},
		"the beginning is gone":   {func(l []AuditLink) []AuditLink { return l[1:] }, DefectLinkMissing, 1},
		"two rows changed places": {func(l []AuditLink) []AuditLink { l[2].Row, l[3].Row = l[3].Row, l[2].Row; return l }, DefectRowChanged, 3},
		"rows sealed a second time": {func(l []AuditLink) []AuditLink {
			l[2].Row.Actor = "somebody else"
			l[2].Hash = l[2].Row.Seal(3, l[1].Hash) // without sealing those behind it
			return l
		}, DefectRowChanged, 4},
	} {
		t.Run(name, func(t *testing.T) {
			var v AuditVerifier
			var defect *AuditDefect
			for _, link := range c.spoil(chain(5)) {
				if defect = v.Check(link); defect != nil {
					break
				}
			}
			if c.reason == "" {
				require.Nil(t, defect)
				require.EqualValues(t, 5, v.Verified())
				require.Equal(t, chain(5)[4].Hash, v.Head())
				return
			}
			require.NotNil(t, defect)
			require.Equal(t, c.reason, defect.Reason)
			require.Equal(t, c.sequence, defect.Sequence)
			require.Equal(t, c.sequence-1, v.Verified())
		})
	}
}
