package operators_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

func validOperator() operators.Operator {
	return operators.Operator{
		Name: "Alpha", Host: "smpp.alpha.example", Port: 2775, SystemID: "alpha", BindType: operators.Transceiver,
		MaxTPS: 100, BurstMultiplier: 1.5, EnforcementMode: operators.HardReject,
		MessageTypes: operators.SMS, Status: operators.Inactive,
	}
}

func violations(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	f := fault.From(err)
	require.Equal(t, fault.InvalidArgument, f.Kind)
	require.Equal(t, operators.ReasonInvalid, f.Reason)
	var all []string
	for _, v := range f.Violations {
		all = append(all, v.Field+" "+v.Description)
	}
	return all
}

func TestHosts(t *testing.T) {
	const name = "host must be a host name of letters, digits and hyphens between dots, in lower case, or an IP address"
	for host, want := range map[string]string{
		"smpp.alpha.example": "", "localhost": "", "a-1.b": "", "10.0.0.1": "", "2001:db8::1": "", "xn--bcher-kva.example": "",
		strings.Repeat("a", 63) + ".example": "",
		"":                                   "host must be a host name or an IP address",
		"smpp://a.example":                   "host must be a host name or an IP address without a scheme such as smpp://",
		"a.example/x":                        "host must be a host name or an IP address alone, without path or spaces",
		" a.example":                         "host must be a host name or an IP address alone, without path or spaces",
		"a.example:2775":                     "host must be a host name or an IP address; the port has a field of its own",
		"[2001:db8::1]":                      "host must be a host name or an IP address; the port has a field of its own",
		"10.0.0.256":                         "host looks like an IPv4 address and is none",
		"10.0.0":                             "host looks like an IPv4 address and is none",
		"0.0.0.0":                            "host must be an address that one machine can have",
		"224.0.0.1":                          "host must be an address that one machine can have",
		"fe80::1%eth0":                       "host must be an IP address without a zone",
		"2001:DB8::1":                        "host must be written as 2001:db8::1",
		"A.example":                          name,
		"a..example":                         name,
		"a.example.":                         name,
		"-a.example":                         name,
		"a-.example":                         name,
		"a_b.example":                        name,
		"bücher.example":                     name,
		strings.Repeat("a", 64):              name,
		strings.Repeat("a.", 127):            "host must have at most 253 characters",
	} {
		t.Run(host, func(t *testing.T) {
			o := validOperator()
			o.Host = host
			if want == "" {
				require.NoError(t, o.Validate())
				return
			}
			require.Equal(t, []string{want}, violations(t, o.Validate()))
		})
	}
}

func TestAnOperatorIsCheckedFieldByField(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*operators.Operator)
	}{
		{"no name", "name must have 1 to 100 characters", func(o *operators.Operator) { o.Name = "" }},
		{"a name that is too long", "name must have 1 to 100 characters", func(o *operators.Operator) { o.Name = strings.Repeat("é", 101) }},
		{"a name with outer space", "name must not start or end with a space", func(o *operators.Operator) { o.Name = "a " }},
		{"a name over two lines", "name must hold only printable characters", func(o *operators.Operator) { o.Name = "a\nb" }},
		{"a name that is no text", "name must be UTF-8", func(o *operators.Operator) { o.Name = "\xff" }},
		{"a name that is a UUID", "name must not be a UUID, because rules may name an operator by either",
			func(o *operators.Operator) { o.Name = "6F1C1A52-7f0e-4d0e-9d2e-0d5f4c1b2a3d" }},
		{"port 0", "port must be a whole number from 1 to 65535", func(o *operators.Operator) { o.Port = 0 }},
		{"a port above the last", "port must be a whole number from 1 to 65535", func(o *operators.Operator) { o.Port = 65536 }},
		{"no system_id", "system_id must have 1 to 15 characters", func(o *operators.Operator) { o.SystemID = "" }},
		{"a system_id of 16", "system_id must have 1 to 15 characters", func(o *operators.Operator) { o.SystemID = strings.Repeat("x", 16) }},
		{"a system_id beyond ASCII", "system_id must hold only printable ASCII characters", func(o *operators.Operator) { o.SystemID = "é" }},
		{"a system_id with outer space", "system_id must not start or end with a space", func(o *operators.Operator) { o.SystemID = " x" }},
		{"no bind type", "bind_type must be TRANSCEIVER, TRANSMITTER or RECEIVER", func(o *operators.Operator) { o.BindType = 0 }},
		{"a bind type that does not exist", "bind_type must be TRANSCEIVER, TRANSMITTER or RECEIVER", func(o *operators.Operator) { o.BindType = 9 }},
		{"no messages per second", "tps_limit.max_tps must be a whole number from 1 to 2147483647", func(o *operators.Operator) { o.MaxTPS = 0 }},
		{"more messages per second than fit", "tps_limit.max_tps must be a whole number from 1 to 2147483647", func(o *operators.Operator) { o.MaxTPS = 1 << 31 }},
		{"a burst below the limit", "tps_limit.burst_multiplier must be a number from 1 to 100", func(o *operators.Operator) { o.BurstMultiplier = 0.999 }},
		{"a burst without end", "tps_limit.burst_multiplier must be a number from 1 to 100", func(o *operators.Operator) { o.BurstMultiplier = math.Inf(1) }},
		{"a burst just above the most", "tps_limit.burst_multiplier must be a number from 1 to 100",
			func(o *operators.Operator) { o.BurstMultiplier = math.Nextafter(100, 101) }},
		{"a burst that is no number", "tps_limit.burst_multiplier must be a number from 1 to 100", func(o *operators.Operator) { o.BurstMultiplier = math.NaN() }},
		{"no enforcement mode", "tps_limit.enforcement_mode must be HARD_REJECT or SOFT_THROTTLE", func(o *operators.Operator) { o.EnforcementMode = 0 }},
		{"an enforcement mode that does not exist", "tps_limit.enforcement_mode must be HARD_REJECT or SOFT_THROTTLE",
			func(o *operators.Operator) { o.EnforcementMode = 3 }},
		{"a system_type of 13", "system_type must have at most 12 characters", func(o *operators.Operator) { o.SystemType = strings.Repeat("x", 13) }},
		{"a system_type beyond ASCII", "system_type must hold only printable ASCII characters", func(o *operators.Operator) { o.SystemType = "é" }},
		{"a system_type with a zero byte", "system_type must hold only printable ASCII characters", func(o *operators.Operator) { o.SystemType = "a\x00" }},
		{"itself as backup", "backup_operator_id must be another operator", func(o *operators.Operator) { o.BackupID = o.ID }},
		{"notes that are too long", "notes must have at most 2000 characters", func(o *operators.Operator) { o.Notes = strings.Repeat("é", 2001) }},
		{"notes that are no text", "notes must be UTF-8", func(o *operators.Operator) { o.Notes = "\xff" }},
		{"notes with a zero byte", "notes must hold no control characters but line ends and tabs", func(o *operators.Operator) { o.Notes = "a\x00" }},
		{"no message types", "message_types must not be empty", func(o *operators.Operator) { o.MessageTypes = 0 }},
		{"a message type that does not exist", "message_types must hold only SMS, FLASH or WAP", func(o *operators.Operator) { o.MessageTypes = 8 }},
		{"no status", "status must be INACTIVE, ACTIVE or SUSPENDED", func(o *operators.Operator) { o.Status = 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := validOperator()
			o.ID = uuid.MustParse(account)
			require.NoError(t, o.Validate())
			c.change(&o)
			require.Equal(t, []string{c.want}, violations(t, o.Validate()))
		})
	}
	require.Len(t, violations(t, operators.Operator{}.Validate()), 10, "all faults are told, not the first")
	longest := validOperator()
	longest.Name, longest.SystemID = strings.Repeat("é", 100), strings.Repeat("x", 15)
	longest.SystemType, longest.Notes = strings.Repeat("x", 12), strings.Repeat("é", 1998)+"\n\t"
	longest.Port, longest.MaxTPS, longest.BurstMultiplier = 65535, 1<<31-1, 100
	require.NoError(t, longest.Validate())
	least := validOperator()
	least.Name, least.SystemID, least.Port, least.MaxTPS, least.BurstMultiplier = "a", "x", 1, 1, 1
	require.NoError(t, least.Validate())
}

func validRule() operators.Rule {
	return operators.Rule{
		Prefix: "44", Strategy: operators.Priority, OnExhausted: operators.Fail,
		Candidates: []operators.Candidate{
			{OperatorID: uuid.MustParse("00000000-0000-7000-8000-000000000001"), Priority: 1, Weight: 100},
			{OperatorID: uuid.MustParse("00000000-0000-7000-8000-000000000002"), Priority: 2, Weight: 0},
		},
	}
}

func TestARuleIsCheckedFieldByField(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*operators.Rule)
	}{
		{"no prefix", "prefix must be + and 1 to 15 digits, of which the first is not 0", func(r *operators.Rule) { r.Prefix = "" }},
		{"a prefix with a leading zero", "prefix must be + and 1 to 15 digits, of which the first is not 0", func(r *operators.Rule) { r.Prefix = "044" }},
		{"a country that does not exist", "country must be an ISO 3166-1 alpha-2 code in capital letters, such as GB, or empty",
			func(r *operators.Rule) { r.Country = "UK" }},
		{"a message type that does not exist", "message_types must hold only SMS, FLASH or WAP", func(r *operators.Rule) { r.MessageTypes = 16 }},
		{"no strategy", "strategy must be COST, PRIORITY, FAILOVER or WEIGHTED", func(r *operators.Rule) { r.Strategy = 0 }},
		{"no on_exhausted", "on_exhausted must be FAIL or FALL_THROUGH", func(r *operators.Rule) { r.OnExhausted = 0 }},
		{"an end before the start", "valid_to must be after valid_from", func(r *operators.Rule) { r.ValidFrom, r.ValidTo = time.Unix(2, 0), time.Unix(2, 0) }},
		{"no candidates", "candidates must be 1 to 100 operators", func(r *operators.Rule) { r.Candidates = nil }},
		{"no operator", "candidates[1].operator_id must be given", func(r *operators.Rule) { r.Candidates[1].OperatorID = uuid.Nil }},
		{"priority 0", "candidates[0].priority must be a whole number from 1 to 1000000", func(r *operators.Rule) { r.Candidates[0].Priority = 0 }},
		{"a negative weight", "candidates[0].weight must be a whole number from 0 to 1000000", func(r *operators.Rule) { r.Candidates[0].Weight = -1 }},
		{"a negative price", "candidates[0].price must be 0 or more and have a currency",
			func(r *operators.Rule) {
				r.Candidates[0].Price = money.Money{Nanos: -1, Currency: money.Currency{'E', 'U', 'R'}}
			}},
		{"a price without currency", "candidates[0].price must be 0 or more and have a currency",
			func(r *operators.Rule) { r.Candidates[0].Price.Nanos = 1 }},
		{"the same operator twice", "candidates[1].operator_id is in this rule already: see candidates[0]",
			func(r *operators.Rule) { r.Candidates[1].OperatorID = r.Candidates[0].OperatorID }},
		{"equal priorities under PRIORITY", "candidates[1].priority must differ between the candidates of a PRIORITY rule: see candidates[0]",
			func(r *operators.Rule) { r.Candidates[1].Priority = 1 }},
		{"equal priorities under FAILOVER", "candidates[1].priority must differ between the candidates of a FAILOVER rule: see candidates[0]",
			func(r *operators.Rule) { r.Strategy, r.Candidates[1].Priority = operators.Failover, 1 }},
		{"no weight under WEIGHTED", "candidates[0].weight must be above 0 for at least one candidate of a WEIGHTED rule: see candidates[0]",
			func(r *operators.Rule) { r.Strategy, r.Candidates[0].Weight = operators.Weighted, 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := validRule()
			require.NoError(t, r.Validate())
			c.change(&r)
			require.Equal(t, []string{c.want}, violations(t, r.Validate()))
		})
	}
	equal := validRule()
	equal.Candidates[1].Priority = 1
	for _, strategy := range []operators.Strategy{operators.Cost, operators.Weighted} {
		equal.Strategy = strategy
		require.NoError(t, equal.Validate(), "%s takes equal priorities", strategy)
	}
}

func TestMessageTypesHaveOneText(t *testing.T) {
	for text, want := range map[string]operators.MessageTypes{
		"": 0, "SMS": operators.SMS, "SMS,FLASH,WAP": operators.SMS | operators.Flash | operators.WAP, "WAP,SMS": operators.SMS | operators.WAP,
	} {
		got, err := operators.ParseMessageTypes(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
		again, err := operators.ParseMessageTypes(got.String())
		require.NoError(t, err)
		require.Equal(t, got, again)
	}
	require.Equal(t, "SMS,WAP", (operators.WAP | operators.SMS).String())
	for _, text := range []string{"FAX", "sms", "SMS,", ",SMS", "SMS,SMS", " SMS", "SMS|WAP"} {
		_, err := operators.ParseMessageTypes(text)
		require.Error(t, err, "%q", text)
	}
	require.True(t, operators.MessageTypes(0).Overlaps(operators.WAP))
	require.True(t, operators.SMS.Overlaps(0))
	require.True(t, (operators.SMS | operators.WAP).Overlaps(operators.WAP))
	require.False(t, operators.SMS.Overlaps(operators.WAP))
}

func TestStatusesFollowEachOtherAsAllowed(t *testing.T) {
	const i, a, s = operators.Inactive, operators.Active, operators.Suspended
	allowed := map[[2]operators.Status]bool{{i, a}: true, {a, s}: true, {a, i}: true, {s, a}: true, {s, i}: true, {i, s}: false}
	for _, from := range []operators.Status{i, a, s} {
		for _, to := range []operators.Status{i, a, s} {
			require.Equal(t, from == to || allowed[[2]operators.Status{from, to}], from.MayBecome(to), "%s -> %s", from, to)
		}
	}
}

func TestNamesOfValuesThatDoNotExistAreEmpty(t *testing.T) {
	require.Empty(t, operators.Status(0).String()+operators.BindType(77).String()+operators.Strategy(77).String()+operators.OnExhausted(77).String())
	require.Equal(t, "sys@h:1", operators.Connection{Host: "h", Port: 1, SystemID: "sys"}.String())
	_, err := operators.ParseStatus("")
	require.EqualError(t, err, "must be INACTIVE, ACTIVE or SUSPENDED")
}
