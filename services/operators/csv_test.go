package operators_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
)

const (
	operatorHeader = "name,host,port,system_id,bind_type,max_tps,message_types,status"
	ruleHeader     = "account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency"
	account        = "6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3d"
)

var known = operators.Resolve([]operators.Operator{
	{ID: uuid.MustParse("00000000-0000-7000-8000-000000000001"), Name: "Alpha"},
	{ID: uuid.MustParse("00000000-0000-7000-8000-000000000002"), Name: "Beta"},
	{ID: uuid.MustParse("00000000-0000-7000-8000-000000000003"), Name: "=Gamma"},
})

func findings(bad *operators.BadLines) []string {
	var all []string
	for _, one := range bad.List() {
		all = append(all, fmt.Sprintf("%d %s: %s", one.Line, one.Column, one.Message))
	}
	return all
}

func parseOperators(t *testing.T, text string) ([]operators.OperatorLine, *operators.BadLines) {
	t.Helper()
	lines, bad, err := operators.ParseOperators(strings.NewReader(text), nil)
	require.NoError(t, err)
	return lines, bad
}

func parseRules(t *testing.T, lines ...string) ([]*operators.RuleLines, *operators.BadLines) {
	t.Helper()
	rules, bad, err := operators.ParseRules(strings.NewReader(ruleHeader+"\n"+strings.Join(lines, "\n")), known, nil)
	require.NoError(t, err)
	return rules, bad
}

func TestHeadersAreChecked(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"an empty file", "", []string{"1 : the file is empty: the first line must be " + operatorHeader}},
		{"a byte order mark alone", "\ufeff", []string{"1 : the file is empty: the first line must be " + operatorHeader}},
		{"UTF-16", "\xff\xfen\x00", []string{"1 : the file is UTF-16: save it as CSV UTF-8"}},
		{"a missing column", strings.Replace(operatorHeader, "port,", "", 1), []string{"1 port: the column is missing in the header"}},
		{"an unknown column", operatorHeader + ",colour", []string{"1 colour: there is no such column; the columns are " + operatorHeader}},
		{"a column twice", operatorHeader + ",port", []string{"1 port: the column is in the header twice"}},
		{"a quote that does not end", `"name`, []string{"1 : a quoted field does not end where it should: write a \" inside it twice, and close it before the comma"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, bad := parseOperators(t, c.text)
			require.Empty(t, lines)
			require.Equal(t, c.want, findings(bad))
			require.EqualValues(t, 1, bad.Count())
		})
	}
	_, bad := parseOperators(t, strings.ReplaceAll(operatorHeader, ",", ";"))
	require.Contains(t, findings(bad), "1 : columns are separated by commas")
}

func TestTheFormsOfAFileThatAreAllTheSame(t *testing.T) {
	const plain = operatorHeader + "\nAlpha,a.example,2775,alpha,TRANSCEIVER,100,SMS|WAP,ACTIVE\n"
	want, bad := parseOperators(t, plain)
	require.Empty(t, bad.List())
	require.Equal(t, operators.Operator{
		Name: "Alpha", Host: "a.example", Port: 2775, SystemID: "alpha", BindType: operators.Transceiver, MaxTPS: 100,
		MessageTypes: operators.SMS | operators.WAP, Status: operators.Active,
	}, want[0].Operator)
	for name, text := range map[string]string{
		"a byte order mark": "\ufeff" + plain,
		"CRLF":              strings.ReplaceAll(plain, "\n", "\r\n"),
		"no last line end":  strings.TrimSuffix(plain, "\n"),
		"quoted fields":     operatorHeader + "\n\"Alpha\",\"a.example\",\"2775\",\"alpha\",\"TRANSCEIVER\",\"100\",\"WAP;SMS\",\"ACTIVE\"\n",
		"another order":     "status,name,host,port,system_id,bind_type,max_tps,message_types\nACTIVE,Alpha,a.example,2775,alpha,TRANSCEIVER,100,SMS|WAP\n",
		"upper-case host":   strings.Replace(plain, "a.example", "A.Example", 1),
		"empty lines":       plain + "\n\n,,,,,,,\n",
	} {
		t.Run(name, func(t *testing.T) {
			lines, bad := parseOperators(t, text)
			require.Empty(t, findings(bad))
			require.Equal(t, want, lines)
		})
	}
}

func TestEveryFaultOfEveryLineIsTold(t *testing.T) {
	lines, bad := parseOperators(t, operatorHeader+"\n"+
		"Alpha,a.example,2775,alpha,TRANSCEIVER,100,,\n"+
		"Alpha,b.example,2775,beta,TRANSCEIVER,100,SMS,ACTIVE\n"+
		",smpp://x,0,0123456789abcdef,TWO-WAY,-1,FAX,GONE\n"+
		"Gamma,A.example,2775,alpha,TRANSCEIVER,1,SMS,\n"+
		"Delta,d.example,2775\n"+
		"Eps\"ilon,e.example,1,e,RECEIVER,1,SMS,\n"+
		"Zeta,z.example,+1,z,RECEIVER,1.5,\"SMS,WAP\",\n"+
		"Eta,h.example,99999999999,h,RECEIVER,1,SMS,\n"+
		strings.Repeat("x", 1025)+",i.example,1,i,RECEIVER,1,SMS,\n"+
		"\xff,j.example,1,j,RECEIVER,1,SMS,\n"+
		"Kappa,k.example,1,k,RECEIVER,1,SMS,INACTIVE\n")
	require.Equal(t, []string{
		"3 name: is in line 2 already",
		"4 message_types: must hold only SMS, FLASH or WAP",
		"4 name: must have 1 to 100 characters",
		"4 host: must be a host name or an IP address without a scheme such as smpp://",
		"4 port: must be a whole number from 1 to 65535",
		"4 system_id: must have 1 to 15 characters",
		"4 bind_type: must be TRANSCEIVER, TRANSMITTER or RECEIVER",
		"4 max_tps: must be a whole number from 1 to 2147483647",
		"4 status: must be INACTIVE, ACTIVE or SUSPENDED",
		"5 host: line 2 has the same host, port and system_id",
		"6 : the line has 3 fields, the header has 8",
		`7 : a " stands inside a field that is not quoted: quote the field and write it twice`,
		"8 message_types: must be separated by | or ;",
		"8 port: must be a whole number from 1 to 65535",
		"8 max_tps: must be a whole number from 1 to 2147483647",
		"9 port: must be a whole number from 1 to 65535",
		"10 name: must have at most 1024 bytes",
		"11 name: must be UTF-8",
	}, findings(bad))
	require.EqualValues(t, 9, bad.Count())
	require.Len(t, lines, 2)
	require.EqualValues(t, 2, lines[0].Line)
	require.EqualValues(t, 12, lines[1].Line)
	require.Equal(t, operators.SMS, lines[0].MessageTypes, "empty message types of an operator are SMS")
	require.Zero(t, lines[0].Status, "an empty status is left to the import")
}

func TestRulesAreGroupedByAccountPrefixAndTypes(t *testing.T) {
	rules, bad := parseRules(t,
		",+44,GB,SMS|WAP,FAILOVER,FALL_THROUGH,Alpha,1,,0.0125,EUR",
		account+",+44,GB,WAP;SMS,COST,,00000000-0000-7000-8000-000000000002,,,,",
		",+44,GB,WAP;SMS,FAILOVER,FALL_THROUGH,'=Gamma,7,0,,",
		",+44,GB,FLASH,COST,,Beta,,,,")
	require.Empty(t, findings(bad))
	require.Len(t, rules, 3)
	first := rules[0]
	require.EqualValues(t, 2, first.Line)
	require.Equal(t, []int64{2, 4}, first.CandidateLines)
	require.Equal(t, uuid.Nil, first.Account)
	require.Equal(t, operators.FallThrough, first.OnExhausted)
	require.Equal(t, "0.012500 EUR", first.Candidates[0].Price.String())
	require.Equal(t, []int{7, 0}, []int{first.Candidates[1].Priority, first.Candidates[1].Weight})
	require.Equal(t, "=Gamma", first.Candidates[1].OperatorName)
	second := rules[1]
	require.Equal(t, account, second.Account.String())
	require.Equal(t, operators.Fail, second.OnExhausted, "empty is FAIL")
	require.Equal(t, []int{1, 100}, []int{second.Candidates[0].Priority, second.Candidates[0].Weight}, "empty is 1 and 100")
	require.Equal(t, "Beta", second.Candidates[0].OperatorName, "found by UUID")
	require.True(t, second.Candidates[0].Price.IsZero())
}

func TestBadRules(t *testing.T) {
	const priced = "2 price: must be a decimal from 0 to 9223372036.854775807 with at most 9 decimal places, such as 0.0125: "
	many := []string{}
	for _, c := range []struct {
		name  string
		lines []string
		want  []string
	}{
		{"every field wrong", []string{"me,44,UK,FAX,CHEAP,STOP,Nobody,0,-1,1,"}, []string{
			"2 account: must be a UUID, or empty for a global rule",
			"2 prefix: must be + and 1 to 15 digits, of which the first is not 0",
			"2 message_types: must hold only SMS, FLASH or WAP",
			"2 country: must be an ISO 3166-1 alpha-2 code in capital letters, such as GB, or empty",
			"2 strategy: must be COST, PRIORITY, FAILOVER or WEIGHTED",
			"2 on_exhausted: must be FAIL or FALL_THROUGH, or empty for FAIL",
			`2 operator: there is no operator with the name or UUID "Nobody"`,
			"2 priority: must be a whole number from 1 to 1000000, or empty for 1",
			"2 weight: must be a whole number from 0 to 1000000, or empty for 100",
			"2 currency: must be given with a price",
		}},
		{"no operator", []string{",+44,,,COST,,,,,,"}, []string{"2 operator: must be the name or the UUID of an operator"}},
		{"the nil UUID as account", []string{uuid.Nil.String() + ",+44,,,COST,,Alpha,,,,"}, []string{"2 account: must be a UUID, or empty for a global rule"}},
		{"an account in another form", []string{"{" + account + "},+44,,,COST,,Alpha,,,,"}, []string{"2 account: must be a UUID, or empty for a global rule"}},
		{"a currency alone", []string{",+44,,,COST,,Alpha,,,,EUR"}, []string{"2 price: must be given with a currency"}},
		{"a currency that is none", []string{",+44,,,COST,,Alpha,,,1,eur"}, []string{"2 currency: must be an ISO 4217 code in capital letters, such as EUR"}},
		{"a negative price", []string{",+44,,,COST,,Alpha,,,-1,EUR"}, []string{priced + "the amount is negative"}},
		{"a price that is too precise", []string{",+44,,,COST,,Alpha,,,0.0000000001,EUR"}, []string{priced + "the amount has more than 9 decimal places"}},
		{"a price in another notation", []string{",+44,,,COST,,Alpha,,,1e3,EUR"}, []string{priced + "the amount is not a plain decimal such as 0.0125"}},
		{"the same operator twice", []string{",+44,,,COST,,Alpha,,,,", ",+44,,,COST,,Alpha,2,,,"}, []string{"3 operator: is in this rule already: see line 2"}},
		{"equal priorities", []string{",+44,,,PRIORITY,,Alpha,,,,", ",+44,,,PRIORITY,,Beta,,,,"},
			[]string{"3 priority: must differ between the candidates of a PRIORITY rule: see line 2"}},
		{"weights that are all zero", []string{",+44,,,WEIGHTED,,Alpha,,0,,", ",+44,,,WEIGHTED,,Beta,,0,,"},
			[]string{"2 weight: must be above 0 for at least one candidate of a WEIGHTED rule: see line 2"}},
		{"zero weights beside a line that cannot be read", []string{",+44,,,WEIGHTED,,Alpha,,0,,", ",+44,,,WEIGHTED,,Nobody,,5,,"},
			[]string{`3 operator: there is no operator with the name or UUID "Nobody"`}},
		{"lines that disagree", []string{",+44,GB,,COST,,Alpha,,,,", ",+44,,,WEIGHTED,FALL_THROUGH,Beta,,,,"}, []string{
			"3 country: differs from line 2, which is about the same rule",
			"3 strategy: differs from line 2, which is about the same rule",
			"3 on_exhausted: differs from line 2, which is about the same rule",
		}},
		{"types that overlap, which is the conflict checker's to find", []string{",+44,,SMS|WAP,COST,,Alpha,,,,", ",+44,,,COST,,Alpha,,,,"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules, bad := parseRules(t, c.lines...)
			require.Equal(t, c.want, findings(bad))
			for _, rule := range rules {
				for _, one := range bad.List() {
					require.NotContains(t, rule.CandidateLines, one.Line, "a bad rule is left out")
				}
			}
		})
	}
	var all []operators.Operator
	for i := range operators.MaxCandidates + 1 {
		name := fmt.Sprintf("Op%d", i)
		all = append(all, operators.Operator{ID: uuid.New(), Name: name})
		many = append(many, ",+44,,,COST,,"+name+",,,,")
	}
	_, bad, err := operators.ParseRules(strings.NewReader(ruleHeader+"\n"+strings.Join(many, "\n")), operators.Resolve(all), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"102 operator: the rule of line 2 has more than 100 candidates"}, findings(bad))
}

func TestReportsAreBoundedAndCountAll(t *testing.T) {
	_, bad := parseRules(t, strings.Split(strings.Repeat("x\n", 5000), "\n")...)
	require.EqualValues(t, 5000, bad.Count())
	require.Len(t, bad.List(), operators.MaxBadLines)
	_, bad = parseRules(t, ",+44,,,COST,,"+strings.Repeat("é", 400)+",,,,")
	require.Less(t, len(bad.List()[0].Message), 200, "text from the file is cut")
}

// endless repeats a line after a header.
type endless struct {
	head io.Reader
	line string
	left string
}

func (e *endless) Read(p []byte) (int, error) {
	if n, err := e.head.Read(p); err == nil {
		return n, nil
	}
	if e.left == "" {
		e.left = e.line
	}
	n := copy(p, e.left)
	e.left = e.left[n:]
	return n, nil
}

func TestAFileThatDoesNotEndIsLeft(t *testing.T) {
	_, bad, err := operators.ParseOperators(&endless{head: strings.NewReader(operatorHeader + "\n"), line: strings.Repeat("x", 1<<15) + "\n"}, nil)
	require.NoError(t, err)
	list := bad.List()
	require.Len(t, list, operators.MaxBadLines)
	require.Equal(t, "the file has more than 67108864 bytes: split it", list[len(list)-1].Message, "also when the report is full")
}

func TestAReaderThatFailsIsAnError(t *testing.T) {
	broken := errors.New("broken")
	for _, before := range []string{"", "na", operatorHeader + "\n", operatorHeader + "\nA"} {
		_, _, err := operators.ParseOperators(io.MultiReader(strings.NewReader(before), iotest.ErrReader(broken)), nil)
		require.ErrorIs(t, err, broken, "after %q", before)
		_, _, err = operators.ParseRules(io.MultiReader(strings.NewReader(strings.Replace(before, operatorHeader, ruleHeader, 1)), iotest.ErrReader(broken)), known, nil)
		require.ErrorIs(t, err, broken, "after %q", before)
	}
}

func TestProgressRisesToTheLastLine(t *testing.T) {
	var seen []int64
	text := operatorHeader + "\n" + strings.Repeat(",,,,,,,\n", 2500)
	_, _, err := operators.ParseOperators(strings.NewReader(text), func(line int64) { seen = append(seen, line) })
	require.NoError(t, err)
	require.Equal(t, []int64{1000, 2000, 2501}, seen)
}

// A parsed line takes 40 bytes of memory for each comma.
func TestALineThatIsTooLongEndsTheFile(t *testing.T) {
	const good = "Alpha,a.example,2775,alpha,TRANSCEIVER,100,SMS,ACTIVE\n"
	commas := strings.Repeat(",", 1<<20) + "\n"
	for name, c := range map[string]struct {
		text  string
		line  int
		taken int
	}{
		"the header":                {commas + good, 1, 0},
		"the header, in one field":  {strings.Repeat("x", 1<<20), 1, 0},
		"a later line in one field": {operatorHeader + "\n" + strings.Repeat("x", 1<<20), 2, 0},
		"a later line":              {operatorHeader + "\n" + good + "\n" + commas + "x\n", 4, 1},
		"a quote that is not shut":  {operatorHeader + "\n" + good + "\"" + strings.Repeat(good, 2000), 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			lines, bad := parseOperators(t, c.text)
			require.Len(t, lines, c.taken)
			require.Equal(t, []string{fmt.Sprintf("%d : the line is too long: it has more than 65536 bytes, perhaps because a quote is not closed", c.line)}, findings(bad))
		})
	}
}
