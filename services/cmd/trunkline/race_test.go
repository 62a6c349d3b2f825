package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
)

// TestEveryAnswerBelongsToTheVersionItNames imports ever longer prefixes while callers ask, half of them with an
// account that no cache knows. The rule of version 3 is +44, that of version 4 one digit longer, and so on: so the
// matched prefix tells by which version an answer was really made. Versions never go backwards for a caller.
func TestEveryAnswerBelongsToTheVersionItNames(t *testing.T) {
	p := deploy(t, "database")
	const operators = "name,host,port,system_id,bind_type,max_tps,message_types,status\nA,a.example.net,2775,a,TRANSCEIVER,10,SMS,ACTIVE\n"
	const head = "account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency\n"
	const number = "+447911123456"
	move := func(what, csv string) {
		t.Helper()
		_, stderr, code := run(t, strings.NewReader(csv), what, "import", "-", "--server", p.management)
		require.Zero(t, code, stderr)
	}
	rule := func(digits int) string { return head + "," + number[:digits+1] + ",,,PRIORITY,FAIL,A,1,,0.01,EUR\n" }
	move("operators", operators)
	move("rules", rule(2))
	client := routingv1connect.NewRoutingServiceClient(&http.Client{Transport: h2c().Transport}, p.engines["database"])
	ask := func(account string) (*routingv1.SelectOperatorResponse, error) {
		return client.SelectOperator(t.Context(), question(func(q *routingv1.SelectOperatorRequest) { q.To, q.AccountId = number, account }))
	}
	require.Eventually(t, func() bool { _, err := ask(demoAccount); return err == nil }, eventually, tick)

	stop := make(chan struct{})
	var callers sync.WaitGroup
	for caller := range 4 {
		callers.Go(func() {
			last := int64(0)
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				account := demoAccount
				if i%2 == 0 {
					account = fmt.Sprintf("00000000-0000-0000-%04d-%012d", caller+1, i+1)
				}
				got, err := ask(account)
				if err != nil {
					t.Error(err)
					return
				}
				version := got.GetMeta().GetConfigVersion()
				if want := number[:version]; got.GetMatchedPrefix() != want {
					t.Errorf("version %d decided by %s instead of %s", version, got.GetMatchedPrefix(), want)
				}
				if version < last {
					t.Errorf("version %d after %d", version, last)
				}
				last = version
			}
		})
	}
	const longest = 9
	for digits := 3; digits <= longest; digits++ {
		move("rules", rule(digits))
	}
	require.Eventually(t, func() bool {
		got, err := ask(demoAccount)
		return err == nil && got.GetMatchedPrefix() == number[:longest+1]
	}, eventually, tick)
	close(stop)
	callers.Wait()
}

// TestNewRulesAreServedWithoutEvents: an engine that hears of no change notices it at the first question that the
// cache cannot answer, and from then on answers everybody by it.
func TestNewRulesAreServedWithoutEvents(t *testing.T) {
	p := deploy(t, "database")
	newCarrier(20).move(t, p.management)
	client := routingv1connect.NewRoutingServiceClient(http.DefaultClient, p.engines["database"])
	ask := func(account string) string {
		got, err := client.SelectOperator(t.Context(), question(func(q *routingv1.SelectOperatorRequest) { q.To, q.AccountId = "+999447911123", account }))
		if err != nil {
			return err.Error()
		}
		return got.GetMatchedPrefix()
	}
	require.Eventually(t, func() bool { return strings.Contains(ask(demoAccount), "no active rule") }, eventually, tick)
	p.nats.Kill()
	const rules = "account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency\n,+999447911,,,PRIORITY,FAIL,Carrier 01,1,,0.01,EUR\n"
	_, stderr, code := run(t, strings.NewReader(rules), "rules", "import", "-", "--server", p.management)
	require.Zero(t, code, stderr)
	require.Equal(t, "+999447911", ask("00000000-0000-0000-0000-00000000abcd"), "a question the cache does not know")
	require.Equal(t, "+999447911", ask(demoAccount), "and then the one it did know")
}
