package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/cmd/cli"
	"trunkline/services/operators"
	"trunkline/services/operators/demo"
)

// demoFake lists the demo data. When pages is not nil, it notes the size of each page asked for.
func demoFake(t *testing.T, pages *[]int32) *fake {
	t.Helper()
	lines, bad, err := operators.ParseOperators(bytes.NewReader(demo.Operators), nil)
	require.NoError(t, err)
	require.Empty(t, bad.List())
	var carriers []*operatorsv1.Operator
	ids := make(map[string]uuid.UUID)
	for i, o := range lines {
		ids[o.Name] = uuid.NewSHA1(uuid.Nil, []byte(o.Name))
		carriers = append(carriers, &operatorsv1.Operator{
			OperatorId: ids[o.Name].String(), Name: o.Name, Host: o.Host, Port: int32(o.Port), SystemId: o.SystemID,
			BindType: operatorsv1.BindType(o.BindType), TpsLimit: &operatorsv1.TpsLimit{MaxTps: int32(o.MaxTPS)}, MessageTypes: types(o.MessageTypes),
			Status: operatorsv1.OperatorStatus(o.Status), Version: int64(i),
		})
	}
	parsed, bad, err := operators.ParseRules(bytes.NewReader(demo.Rules), func(name string) (uuid.UUID, string, bool) {
		return ids[name], name, true
	}, nil)
	require.NoError(t, err)
	require.Empty(t, bad.List())
	var rules []*operatorsv1.RoutingRule
	for _, r := range parsed {
		one := &operatorsv1.RoutingRule{
			RuleId: uuid.NewSHA1(uuid.Nil, []byte(r.Account.String()+r.Prefix.String()+r.MessageTypes.String())).String(), Prefix: r.Prefix.String(), Country: r.Country, MessageTypes: types(r.MessageTypes),
			Strategy: routingv1.RoutingStrategy(r.Strategy), OnExhausted: routingv1.OnExhausted(r.OnExhausted), Active: true,
		}
		if r.Account != uuid.Nil {
			one.AccountId = r.Account.String()
		}
		for _, c := range r.Candidates {
			candidate := &operatorsv1.RuleCandidate{
				OperatorId: c.OperatorID.String(), OperatorName: c.OperatorName, Priority: int32(c.Priority), Weight: proto.Int32(int32(c.Weight)),
			}
			if !c.Price.IsZero() {
				candidate.Price = &routingv1.Money{CurrencyCode: c.Price.Currency.String(), Nanos: c.Price.Nanos}
			}
			one.Candidates = append(one.Candidates, candidate)
		}
		rules = append(rules, one)
	}
	note := func(size int32) {
		if pages != nil {
			*pages = append(*pages, size)
		}
	}
	return &fake{
		listOperators: func(req *operatorsv1.ListOperatorsRequest) (*operatorsv1.ListOperatorsResponse, error) {
			note(req.GetPageSize())
			page, next := pageOf(carriers, 3, req.GetPageSize(), req.GetPageToken())
			health := make([]*operatorsv1.OperatorHealth, len(page))
			for i, o := range page {
				health[i] = &operatorsv1.OperatorHealth{OperatorId: o.GetOperatorId(), BindState: eventsv1.BindState(len(o.GetName())%3 + 1), ByHand: i == 1}
			}
			return &operatorsv1.ListOperatorsResponse{Operators: page, Health: health, NextPageToken: next}, nil
		},
		listRules: func(req *operatorsv1.ListRoutingRulesRequest) (*operatorsv1.ListRoutingRulesResponse, error) {
			note(req.GetPageSize())
			page, next := pageOf(rules, 100, req.GetPageSize(), req.GetPageToken())
			return &operatorsv1.ListRoutingRulesResponse{Rules: page, NextPageToken: next}, nil
		},
	}
}

// pageOf gives at most most things, so that there are several pages.
func pageOf[T any](all []T, most, size int32, token string) ([]T, string) {
	from, _ := strconv.Atoi(token)
	to := min(from+int(min(most, size)), len(all))
	if to == len(all) {
		return all[from:], ""
	}
	return all[from:to], strconv.Itoa(to)
}

func types(set operators.MessageTypes) (list []routingv1.MessageType) {
	for i, one := range []operators.MessageTypes{operators.SMS, operators.Flash, operators.WAP} {
		if set&one != 0 {
			list = append(list, routingv1.MessageType(i+1))
		}
	}
	return list
}

func TestExportGivesTheFileThatWasImported(t *testing.T) {
	demoFake(t, nil).start(t)
	got := run(t, nil, "operators", "export")
	require.Equal(t, outcome{cli.ExitOK, string(demo.Operators), ""}, got)

	path := filepath.Join(t.TempDir(), "rules.csv")
	got = run(t, nil, "rules", "export", "--file", path)
	require.Equal(t, outcome{}, got)
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, ruleFile(t, demo.Rules), ruleFile(t, written))
}

// ruleFile gives the meaning of a file: prices may be written in several ways.
func ruleFile(t *testing.T, file []byte) (rules []operators.Rule) {
	t.Helper()
	parsed, bad, err := operators.ParseRules(bytes.NewReader(file), func(name string) (uuid.UUID, string, bool) {
		return uuid.NewSHA1(uuid.Nil, []byte(name)), name, true
	}, nil)
	require.NoError(t, err)
	require.Empty(t, bad.List())
	for _, r := range parsed {
		rules = append(rules, r.Rule)
	}
	return rules
}

func TestAnExportThatFailsLeavesTheFormerFile(t *testing.T) {
	f := demoFake(t, nil)
	whole := f.listRules
	f.listRules = func(req *operatorsv1.ListRoutingRulesRequest) (*operatorsv1.ListRoutingRulesResponse, error) {
		if req.GetPageToken() != "" {
			return nil, serverError(t, connect.CodeUnavailable, "DATABASE_UNAVAILABLE", "The database is down.")
		}
		return whole(req)
	}
	f.start(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "rules.csv")
	require.NoError(t, os.WriteFile(path, []byte("former"), 0o600))
	got := run(t, nil, "rules", "export", "--file", path)
	require.Equal(t, cli.ExitUnavailable, got.exit)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "former", string(content))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "no temporary file stays")
}

func TestAnExportTellsWhatTheFileCannotHold(t *testing.T) {
	candidates := []*operatorsv1.RuleCandidate{{OperatorId: nordlink, OperatorName: "Nordlink Transit", Priority: 1}}
	rule := func(prefix string) *operatorsv1.RoutingRule {
		return &operatorsv1.RoutingRule{RuleId: meridian, Prefix: prefix, Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY, Active: true, Candidates: candidates}
	}
	off, limited := rule("+1"), rule("+2")
	off.Active = false
	limited.ValidTo = timestamppb.Now()
	f := &fake{listRules: func(*operatorsv1.ListRoutingRulesRequest) (*operatorsv1.ListRoutingRulesResponse, error) {
		return &operatorsv1.ListRoutingRulesResponse{Rules: []*operatorsv1.RoutingRule{off, limited, rule("+3")}}, nil
	}}
	f.start(t)
	got := run(t, nil, "rules", "export")
	require.Equal(t, cli.ExitOK, got.exit)
	require.Len(t, lines(got.stdout), 4)
	require.Contains(t, got.stderr, "warning: 2 of the rules are switched off or limited in time")
}

func TestAnExportNeverDropsWhatItDoesNotKnow(t *testing.T) {
	f := &fake{listOperators: func(*operatorsv1.ListOperatorsRequest) (*operatorsv1.ListOperatorsResponse, error) {
		return &operatorsv1.ListOperatorsResponse{Operators: []*operatorsv1.Operator{{
			Name: "New", BindType: operatorsv1.BindType_BIND_TYPE_TRANSCEIVER, Status: operatorsv1.OperatorStatus_OPERATOR_STATUS_ACTIVE,
			MessageTypes: []routingv1.MessageType{9},
		}}}, nil
	}}
	f.start(t)
	got := run(t, nil, "operators", "export")
	require.Equal(t, cli.ExitFailed, got.exit)
	require.Empty(t, got.stdout)
	require.Contains(t, got.stderr, "operator New: the server's message type is not known to this program")
}

func TestListsShowEveryPage(t *testing.T) {
	var pages []int32
	demoFake(t, &pages).start(t)
	got := run(t, nil, "operators", "list")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	golden(t, "operators.txt", got.stdout)
	require.Equal(t, []int32{1000, 1000, 1000}, pages)

	pages = nil
	got = run(t, nil, "rules", "list", "--limit", "150")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Equal(t, []int32{150, 50}, pages)
	require.Len(t, lines(got.stdout), 151)

	got = run(t, nil, "rules", "list", "--limit", "3")
	golden(t, "rules.txt", got.stdout)

	got = run(t, nil, "rules", "list", "-o", "jsonl")
	require.Len(t, lines(got.stdout), len(ruleFile(t, demo.Rules)))

	got = run(t, nil, "operators", "list", "-o", "json")
	var all []map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &all))
	require.Len(t, all, 8)

	got = run(t, nil, "operators", "list", "-o", "csv")
	require.Equal(t, string(demo.Operators), got.stdout)
}

func TestAListWithoutEntries(t *testing.T) {
	f := &fake{listOperators: func(*operatorsv1.ListOperatorsRequest) (*operatorsv1.ListOperatorsResponse, error) {
		return &operatorsv1.ListOperatorsResponse{}, nil
	}}
	f.start(t)
	require.Equal(t, outcome{stdout: "[]\n"}, run(t, nil, "operators", "list", "-o", "json"))
	require.Equal(t, outcome{stdout: "name,host,port,system_id,bind_type,max_tps,message_types,status\n"}, run(t, nil, "operators", "export"))
	require.Equal(t, outcome{stdout: "NAME  STATUS  HEALTH  BIND TYPE  ADDRESS  SYSTEM ID  MAX TPS  TYPES  OPERATOR ID\n"}, run(t, nil, "operators", "list"))
}

func TestAServerWhosePagesNeverEnd(t *testing.T) {
	f := &fake{listOperators: func(*operatorsv1.ListOperatorsRequest) (*operatorsv1.ListOperatorsResponse, error) {
		return &operatorsv1.ListOperatorsResponse{NextPageToken: "same"}, nil
	}}
	f.start(t)
	require.Equal(t, cli.ExitFailed, run(t, nil, "operators", "list").exit)
}
