//go:build pact

package routingfx

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/services/platform/pacttest"
	"trunkline/services/routing"
)

const pacts = "../../../pacts"

func TestProviderKeepsItsPacts(t *testing.T) {
	pacttest.Verify(t, routingEngine(t), pacts)
}

// Verification from a broker is the same but for where pacts come from and results go to; a stand-in shows
// both.
func TestProviderTakesPactsFromABrokerAndPublishesResults(t *testing.T) {
	var served [][]byte
	for _, consumer := range []string{"admin-console", "sms-orchestrator"} {
		data, err := os.ReadFile(filepath.Join(pacts, consumer+"-routing-engine.json"))
		require.NoError(t, err)
		served = append(served, data)
	}
	broker := pacttest.StartStandIn(t, "Bearer secret", served...)
	pacttest.VerifyFromBroker(t, routingEngine(t), pacttest.Broker{URL: broker.URL, Token: "secret", Version: "1.2.3", Branch: "feature/x"})

	require.Equal(t, []string{"admin-console", "sms-orchestrator"}, broker.Fetched())
	require.ElementsMatch(t, []pacttest.Result{
		{Consumer: "admin-console", Provider: "routing-engine", Version: "1.2.3", Success: true},
		{Consumer: "sms-orchestrator", Provider: "routing-engine", Version: "1.2.3", Success: true},
	}, broker.Results())
	require.Equal(t, "feature/x", broker.Branches()["1.2.3"])
	require.JSONEq(t, `[{"mainBranch":true},{"matchingBranch":true},{"deployedOrReleased":true}]`, broker.Selectors())
}

func routingEngine(t *testing.T) pacttest.Provider {
	t.Helper()
	s := pacttest.NewWorlds(t, newWorld)
	return pacttest.Provider{
		Name: "routing-engine", URL: s.URL, Reset: s.End,
		States: map[string]pacttest.State{
			"operators with sessions": pacttest.Arrange(s, operatorsWithSessions),
			"a rule in force":         pacttest.Arrange(s, ruleInForce),
			"the sessions of an operator are lost": pacttest.Arrange(s, func(ctx context.Context, w *world, p struct {
				OperatorID uuid.UUID `json:"operatorId"`
			}) error {
				return w.say(ctx, p.OperatorID, routing.Unbound, "UNBOUND")
			}),
			// Closed connections cannot be told from a server that is gone. The engine serves rules, but has not
			// kept any in its cache.
			"the store of rules is out of reach": pacttest.Arrange(s, func(_ context.Context, w *world, _ struct{}) error {
				return w.db.Close()
			}),

			"an engine serves a release":                            pacttest.Arrange(s, engineServes),
			"an engine prepared a release":                          pacttest.Arrange(s, enginePrepared),
			"an engine refused a release whose artifact is another": pacttest.Arrange(s, engineRefused),
		},
		Messages: map[string]pacttest.Message{
			"an engine serves what is published: SERVING":     said(s),
			"an engine has ready what is scheduled: PREPARED": said(s),
			"an engine refuses what is damaged: REFUSED":      said(s),
		},
	}
}

type operatorsParams struct {
	Operators []struct {
		OperatorID   uuid.UUID `json:"operatorId"`
		Name         string    `json:"name"`
		Host         string    `json:"host"`
		Port         int       `json:"port"`
		SystemID     string    `json:"systemId"`
		MaxTPS       int       `json:"maxTps"`
		MessageTypes []string  `json:"messageTypes"`
	} `json:"operators"`
}

func operatorsWithSessions(ctx context.Context, w *world, p operatorsParams) error {
	now := time.Now()
	err := w.change(ctx, func(tx bun.Tx) error {
		for _, o := range p.Operators {
			_, err := tx.ExecContext(ctx, `INSERT INTO operators (operator_id, name, host, port, system_id, bind_type, max_tps, message_types, status, created_at, updated_at)
				VALUES (?, ?, ?, ?, ?, 'TRANSCEIVER', ?, ?, 'ACTIVE', ?, ?)`,
				o.OperatorID, o.Name, o.Host, o.Port, o.SystemID, o.MaxTPS, strings.Join(o.MessageTypes, ","), now, now)
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, o := range p.Operators {
		err = errors.Join(err, w.say(ctx, o.OperatorID, routing.Bound, "BOUND"))
	}
	return err
}

type ruleParams struct {
	RuleID     uuid.UUID `json:"ruleId"`
	Prefix     string    `json:"prefix"`
	Strategy   string    `json:"strategy"`
	Candidates []struct {
		OperatorID uuid.UUID `json:"operatorId"`
		Priority   int       `json:"priority"`
		Weight     int       `json:"weight"`
		PriceNanos int64     `json:"priceNanos,string"`
		Currency   string    `json:"currency"`
	} `json:"candidates"`
}

func ruleInForce(ctx context.Context, w *world, p ruleParams) error {
	now := time.Now()
	return w.change(ctx, func(tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO routing_rules (rule_id, prefix, strategy, created_at, updated_at) VALUES (?, ?, ?, ?, ?)`,
			p.RuleID, p.Prefix, p.Strategy, now, now)
		for _, c := range p.Candidates {
			if err != nil {
				break
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO rule_candidates (rule_id, operator_id, priority, weight, price_nanos, currency) VALUES (?, ?, ?, ?, ?, ?)`,
				p.RuleID, c.OperatorID, c.Priority, c.Weight, c.PriceNanos, c.Currency)
		}
		return err
	})
}
