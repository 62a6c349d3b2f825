package release

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protodelim"
	"pgregory.net/rapid"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

func TestWhatWasCompiledIsRead(t *testing.T) {
	none := func(*Content) {}
	for _, c := range []struct {
		name   string
		change func(*Content)
	}{
		{"a bit of everything", none},
		{"nothing at all", func(c *Content) { *c = Content{} }},
		{"no rules", func(c *Content) { c.Rules = nil }},
		{"no rates", func(c *Content) { c.Rates = nil }},
		{"no FX rates", func(c *Content) { c.FX = nil }},
		{"rates only", func(c *Content) { *c = Content{Rates: c.Rates} }},
	} {
		for _, l := range []limits{defaultLimits(), {1, 1, 1}, {2, 2, 3}, {65536, 1000, 2}} {
			t.Run(fmt.Sprintf("%s in parts of %d", c.name, l.rows), func(t *testing.T) {
				want := small()
				c.change(want)
				stored, s := sealed(t, clone(want), l)
				got, err := readAll(stored, s.Digest, s.Size)
				require.NoError(t, err)
				require.Equal(t, want, got)
				require.EqualValues(t, []int{len(want.Operators), len(want.Rules), len(want.Rates)}, []int{int(s.Operators), int(s.Rules), int(s.Rates)})
			})
		}
	}
}

// A digest that differs here means that the bytes of every artifact differ from now on: raise format, or undo it.
func TestTheDigestOfTheSameContentNeverChanges(t *testing.T) {
	const want = "9415d0ddc22fe5020670e8e0e6933540759ebd6eecd4eae9b99c42bbb3bbb772"
	for seed := range uint64(20) {
		c := small()
		shuffle(c, seed)
		_, s := sealed(t, c, defaultLimits())
		require.Equal(t, want, s.Digest)
	}
}

func TestAnyChangeChangesTheDigest(t *testing.T) {
	_, before := sealed(t, small(), defaultLimits())
	for name, change := range map[string]func(*Content){
		"an operator's limit":  func(c *Content) { c.Operators[0].MaxTPS++ },
		"an FX rate":           func(c *Content) { c.FX[0].Nanos++ },
		"a rule's flag":        func(c *Content) { c.Rules[0].Inactive = true },
		"a rule's validity":    func(c *Content) { c.Rules[2].From = c.Rules[2].From.Add(time.Microsecond) },
		"a candidate's weight": func(c *Content) { c.Rules[0].Candidates[0].Weight++ },
		"a rate's price":       func(c *Content) { c.Rates[0].Price.Nanos++ },
		"one row less":         func(c *Content) { c.Rates = c.Rates[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			c := small()
			change(c)
			_, after := sealed(t, c, defaultLimits())
			require.NotEqual(t, before.Digest, after.Digest)
		})
	}
}

func TestTheSchemaDescribesTheBytes(t *testing.T) {
	want := small()
	stored, _ := sealed(t, clone(want), defaultLimits())
	in := bytes.NewReader(plain(t, stored))
	var parts []*releasesv1.ArtifactPart
	for in.Len() > 0 {
		part := &releasesv1.ArtifactPart{}
		require.NoError(t, protodelim.UnmarshalFrom(in, part))
		parts = append(parts, part)
	}
	require.Len(t, parts, 6)
	require.EqualValues(t, []int64{1, 3, 6, 4}, []int64{
		int64(parts[0].GetHead().GetFormat()), parts[0].GetHead().GetOperatorCount(), parts[0].GetHead().GetRuleCount(), parts[0].GetHead().GetRateCount(),
	})
	operators := parts[1].GetOperators().GetOperators()
	require.Equal(t, "Gamma", operators[2].GetName())
	require.Equal(t, []routingv1.MessageType{routingv1.MessageType_MESSAGE_TYPE_FLASH, routingv1.MessageType_MESSAGE_TYPE_WAP}, operators[2].GetMessageTypes())
	require.Equal(t, []string{"EUR", "USD"}, parts[2].GetFxRates().GetCurrencyCodes())
	rules := parts[3].GetRules()
	require.Equal(t, "\x00\x011"+"\x00\x0244"+"\x02\x00"+"\x02\x00"+"\x02\x0d7911123456789"+"\x02\x0280", string(rules.GetPrefixes()))
	require.Equal(t, []uint32{0, 0, 0, 1, 1, 2}, rules.GetAccounts())
	require.Equal(t, []byte{0, 1, 2, 0, 0, 0}, rules.GetFlags())
	require.Equal(t, []uint32{0, 0, 1, 2, 3, 3}, rules.GetRowSpans())
	require.Equal(t, []uint32{0, 0, 1, 0, 1, 1}, rules.GetRowCandidates())
	require.Equal(t, first.UnixMicro(), rules.GetSpans()[2].GetFromMicros())
	require.Equal(t, last.UnixMicro(), rules.GetSpans()[2].GetToMicros())
	require.Equal(t, []int32{70, 30}, rules.GetCandidateLists()[0].GetWeights())
	require.Equal(t, []string{"", "EUR"}, rules.GetCandidateLists()[0].GetCurrencyCodes())
	rates := parts[4].GetRates()
	require.Equal(t, []uint32{0, 0, 0, 1}, rates.GetOperators())
	require.Equal(t, []int64{9_000_000, 31_000_000, 1<<63 - 1, 0}, rates.GetPriceNanos())
	require.Equal(t, []string{"USD", "EUR"}, rates.GetCurrencyCodes())
	require.NotNil(t, parts[5].GetTail())
	for _, part := range parts {
		require.Empty(t, part.ProtoReflect().GetUnknown())
	}
}

func TestRowsThatNoEngineWouldTakeAreNamedAndNotCompiled(t *testing.T) {
	long := strings.Repeat("x", maxText+1)
	for _, c := range []struct {
		name, want string
		change     func(*Content)
	}{
		{"an operator without a name", "its name", func(c *Content) { c.Operators[0].Name = "" }},
		{"an operator with a long host", "its host", func(c *Content) { c.Operators[0].Host = long }},
		{"an operator with a long system_id", "its system_id", func(c *Content) { c.Operators[0].SystemID = long }},
		{"an operator without a port", "its port", func(c *Content) { c.Operators[0].Port = 0 }},
		{"an operator without messages per second", "its max_tps", func(c *Content) { c.Operators[0].MaxTPS = 0 }},
		{"an operator without message types", "its message types", func(c *Content) { c.Operators[0].Types = 0 }},
		{"an operator with another status", "its status", func(c *Content) { c.Operators[0].Status = "GONE" }},
		{"an operator without an id", "it has no id", func(c *Content) { c.Operators[0].ID = uuid.Nil }},
		{"an operator twice", "it is there twice", func(c *Content) { c.Operators[1].ID = c.Operators[0].ID }},
		{"an FX rate of zero", "its rate", func(c *Content) { c.FX[0].Nanos = 0 }},
		{"an FX rate of no currency", "its currency", func(c *Content) { c.FX[0].Currency = money.Currency{} }},
		{"a currency twice", "it is there twice", func(c *Content) { c.FX[1].Currency = c.FX[0].Currency }},
		{"a rule without an id", "it has no id", func(c *Content) { c.Rules[0].ID = uuid.Nil }},
		{"a rule without a prefix", "its prefix", func(c *Content) { c.Rules[0].Prefix = "" }},
		{"a rule with 16 digits", "its prefix", func(c *Content) { c.Rules[0].Prefix = "1234567890123456" }},
		{"a rule with a leading zero", "its prefix", func(c *Content) { c.Rules[0].Prefix = "044" }},
		{"a rule with a plus", "its prefix", func(c *Content) { c.Rules[0].Prefix = "+44" }},
		{"a rule without message types", "its message types", func(c *Content) { c.Rules[0].Types = 0 }},
		{"a rule with a fourth message type", "its message types", func(c *Content) { c.Rules[0].Types = 8 }},
		{"a rule without a strategy", "its strategy", func(c *Content) { c.Rules[0].Strategy = 0 }},
		{"a rule with a strategy of tomorrow", "its strategy", func(c *Content) { c.Rules[0].Strategy = 5 }},
		{"a rule without candidates", "0 candidates", func(c *Content) { c.Rules[0].Candidates = nil }},
		{"a rule with too many candidates", "101 candidates", func(c *Content) { c.Rules[0].Candidates = make([]Candidate, 101) }},
		{"a candidate without an operator", "no operator", func(c *Content) { c.Rules[0].Candidates[0].Operator = uuid.Nil }},
		{"a candidate without a priority", "priority", func(c *Content) { c.Rules[0].Candidates[0].Priority = 0 }},
		{"a candidate with less than no weight", "weight", func(c *Content) { c.Rules[0].Candidates[0].Weight = -1 }},
		{"a candidate's price without currency", "price", func(c *Content) { c.Rules[0].Candidates[0].Price.Nanos = 1 }},
		{"a rule beyond the calendar", "years 1 to 9999", func(c *Content) { c.Rules[0].To = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"a rule twice", "it is there twice", func(c *Content) { c.Rules[1] = c.Rules[0] }},
		{"a rate without an operator", "no operator", func(c *Content) { c.Rates[0].Operator = uuid.Nil }},
		{"a rate below zero", "its price", func(c *Content) { c.Rates[0].Price.Nanos = -1 }},
		{"a rate without a currency", "its currency", func(c *Content) { c.Rates[0].Price = money.Money{} }},
		{"a rate without a message type", "its message type", func(c *Content) { c.Rates[0].Type = 0 }},
		{"a rate before the calendar", "years 1 to 9999", func(c *Content) { c.Rates[0].From = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"a rate twice", "it is there twice", func(c *Content) { c.Rates[1] = c.Rates[0] }},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := small()
			c.change(content)
			_, err := Compile(&bytes.Buffer{}, content)
			require.ErrorIs(t, err, ErrContent)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestAFullDiskIsTold(t *testing.T) {
	_, err := Compile(full{}, small())
	require.ErrorIs(t, err, errFull)
}

func TestTimesBelowAMicrosecondMakeNoDifference(t *testing.T) {
	c := small()
	c.Rules[2].From = c.Rules[2].From.Add(999 * time.Nanosecond).In(time.FixedZone("east", 3600))
	_, s := sealed(t, c, defaultLimits())
	_, want := sealed(t, small(), defaultLimits())
	require.Equal(t, want.Digest, s.Digest)
}

func TestAnyContentIsReadAsItWasCompiled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyContent().Draw(t, "content")
		l := limits{rapid.IntRange(1, 9).Draw(t, "rows"), rapid.IntRange(1, 9).Draw(t, "operators"), rapid.IntRange(1, 9).Draw(t, "candidates")}
		shuffled := clone(want)
		shuffle(shuffled, rapid.Uint64().Draw(t, "seed"))
		stored, s := sealed(t, shuffled, l)
		again, other := sealed(t, clone(want), l)
		require.Equal(t, s, other)
		require.Equal(t, stored, again)
		got, err := readAll(stored, s.Digest, s.Size)
		require.NoError(t, err)
		require.Equal(t, shuffled, got, "sorted by Compile")
	})
}

func anyContent() *rapid.Generator[*Content] {
	return rapid.Custom(func(t *rapid.T) *Content {
		at := func(label string) time.Time {
			if rapid.Bool().Draw(t, label+" open") {
				return time.Time{}
			}
			return time.UnixMicro(rapid.SampledFrom([]int64{minMicros, -1, 0, 1, first.UnixMicro(), maxMicros}).Draw(t, label)).UTC()
		}
		prefix := func() e164.Prefix {
			return e164.Prefix(rapid.StringMatching(`[1-9][0-3]{0,14}`).Draw(t, "prefix"))
		}
		code := rapid.SampledFrom([]money.Currency{eur, usd, {'J', 'P', 'Y'}})
		c := &Content{}
		for i := range rapid.IntRange(0, 12).Draw(t, "operators") {
			c.Operators = append(c.Operators, Operator{
				ID: id('o', uint64(i)), Name: rapid.StringN(1, 20, 80).Draw(t, "name"), Host: "h", Port: rapid.Int32Range(1, maxPort).Draw(t, "port"),
				SystemID: rapid.StringN(0, 5, 20).Draw(t, "system_id"), MaxTPS: rapid.Int32Range(1, 1<<31-1).Draw(t, "tps"),
				Types: MessageTypes(rapid.IntRange(1, 7).Draw(t, "types")), Status: rapid.SampledFrom([]string{Active, Inactive, Suspended}).Draw(t, "status"),
				ReceivesOnly: rapid.Bool().Draw(t, "receives"),
			})
		}
		if rapid.Bool().Draw(t, "fx") {
			c.FX = []FXRate{{eur, rapid.Int64Range(1, 1<<63-1).Draw(t, "fx rate")}}
		}
		var lists [][]Candidate
		for range rapid.IntRange(1, 4).Draw(t, "lists") {
			var list []Candidate
			for range rapid.IntRange(1, 4).Draw(t, "candidates") {
				one := Candidate{
					Operator: id('o', rapid.Uint64Range(0, 12).Draw(t, "operator")), Priority: rapid.Int32Range(1, 1<<31-1).Draw(t, "priority"),
					Weight: rapid.Int32Range(0, 1<<31-1).Draw(t, "weight"),
				}
				if rapid.Bool().Draw(t, "own price") {
					one.Price = money.Money{Nanos: rapid.Int64Range(0, 1<<63-1).Draw(t, "price"), Currency: code.Draw(t, "currency")}
				}
				list = append(list, one)
			}
			lists = append(lists, list)
		}
		for i := range rapid.IntRange(0, 30).Draw(t, "rules") {
			rule := Rule{
				ID: id('r', uint64(i)), Prefix: prefix(), Types: MessageTypes(rapid.IntRange(1, 7).Draw(t, "types")),
				Strategy:    routingv1.RoutingStrategy(rapid.IntRange(1, 4).Draw(t, "strategy")),
				FallThrough: rapid.Bool().Draw(t, "falls through"), Inactive: rapid.Bool().Draw(t, "inactive"),
				From: at("from"), To: at("to"), Candidates: rapid.SampledFrom(lists).Draw(t, "list"),
			}
			if rapid.Bool().Draw(t, "owned") {
				rule.Account = id('a', rapid.Uint64Range(0, 3).Draw(t, "account"))
			}
			c.Rules = append(c.Rules, rule)
		}
		for i := range rapid.IntRange(0, 30).Draw(t, "rates") {
			c.Rates = append(c.Rates, Rate{
				ID: id('t', uint64(i)), Operator: id('o', rapid.Uint64Range(0, 3).Draw(t, "operator")), Prefix: prefix(),
				Type:  routingv1.MessageType(rapid.IntRange(1, 3).Draw(t, "type")),
				Price: money.Money{Nanos: rapid.Int64Range(0, 1<<63-1).Draw(t, "price"), Currency: code.Draw(t, "currency")}, From: at("from"), To: at("to"),
			})
		}
		return c
	})
}
