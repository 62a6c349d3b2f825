//go:build pact

package operatorsfx_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/pacttest"
	"trunkline/services/platform/rpcserver"
)

const pacts = "../../../pacts"

func TestProviderKeepsItsPacts(t *testing.T) {
	s := newWorlds(t)
	pacttest.Verify(t, pacttest.Provider{
		Name: "operator-management", URL: s.URL, Reset: s.End,
		States: map[string]pacttest.State{
			"operators exist":      pacttest.Tell(s, operatorsExist),
			"routing rules exist":  pacttest.Tell(s, rulesExist),
			"rates exist":          pacttest.Arrange(s, ratesExist),
			"exchange rates exist": pacttest.Arrange(s, fxRatesExist),

			"releases exist":             pacttest.Tell(s, releasesExist),
			"releases were published":    pacttest.Tell(s, releasesPublished),
			"engines spoke of a release": pacttest.Arrange(s, enginesSpoke),

			"the health of an operator is known":      pacttest.Arrange(s, healthKnown),
			"connectors reported":                     pacttest.Arrange(s, connectorsReported),
			"a neighbour said UNBOUND of an operator": pacttest.Arrange(s, neighbourSaidUnbound),

			"an operator was created":                     pacttest.Arrange(s, operatorCreated),
			"the password of an operator was changed":     pacttest.Arrange(s, credentialsRotated),
			"an operator was deleted":                     pacttest.Arrange(s, operatorDeleted),
			"a routing rule was created":                  pacttest.Arrange(s, ruleCreated),
			"the event of a change was published":         pacttest.Arrange(s, eventPublished),
			"an event waits because NATS is out of reach": pacttest.Arrange(s, eventWaits),

			"the caller has a role": pacttest.Arrange(s, callerHasRole),

			"the caller's identity may not read passwords": pacttest.Arrange(s, shows(engine)),
			"the caller's identity may not ask":            pacttest.Arrange(s, shows(stranger)),
		},
		Messages: map[string]pacttest.Message{
			"an operator was created":             published(s),
			"the password of an operator changed": published(s),
			"an operator was deleted":             published(s),
			"a routing rule was created":          published(s),

			"the first word about an operator: BOUND":                    published(s),
			"the last session is lost: UNBOUND":                          published(s),
			"a backup session carries: FAILBACK":                         published(s),
			"an operator with too many errors: DEGRADED":                 published(s),
			"the short form that a neighbour publishes by hand: UNBOUND": published(s),

			"the manifest of a release in force":                 manifest(s),
			"the manifest of a release in force and of the next": manifest(s),

			"the operators of a configuration":      part(s, "operators"),
			"the rules of a configuration":          part(s, "rules"),
			"the rates of a configuration":          part(s, "rates"),
			"the exchange rates of a configuration": part(s, "fxRates"),
			"the end of a configuration":            part(s, "complete"),
		},
	}, pacts)
}

// There is no connector yet. The demo sessions play it in a development process, and here.
func TestProviderDemoSessionsReportAsConnectorsDo(t *testing.T) {
	s := newWorlds(t)
	pacttest.Verify(t, pacttest.Provider{
		Name: "smpp-connector", URL: s.URL, Reset: s.End,
		States: map[string]pacttest.State{
			"a session is up":     pacttest.Arrange(s, sessionIsUp),
			"a session has ended": pacttest.Arrange(s, sessionHasEnded),
		},
		Messages: map[string]pacttest.Message{
			"a session that is up: BOUND":       published(s),
			"a session that has ended: UNBOUND": published(s),
		},
	}, pacts)
}

func newWorlds(t *testing.T) *pacttest.Worlds[*world] {
	t.Helper()
	certificates := newTrust(t)
	return pacttest.NewWorlds(t, func(ctx context.Context) (*world, error) { return newWorld(ctx, certificates) })
}

// shows is the state in which internal calls come from another identity.
func shows(id rpcserver.Identity) func(context.Context, *world, struct{}) error {
	return func(_ context.Context, w *world, _ struct{}) error {
		w.refused = id
		return nil
	}
}

// callerHasRole is the state in which public calls come from somebody with another role.
func callerHasRole(_ context.Context, w *world, p struct {
	Role string `json:"role"`
}) error {
	role, ok := caller.ParseRole(strings.ToLower(strings.TrimPrefix(p.Role, "ROLE_")))
	if !ok {
		return fmt.Errorf("%q is no role", p.Role)
	}
	w.role.Store(uint32(role))
	return nil
}

var errNothingPublished = errors.New("no state of this interaction kept an event")

// published gives the event that the last state kept, as its stream holds it.
func published(s *pacttest.Worlds[*world]) pacttest.Message {
	return func(ctx context.Context) ([]byte, map[string]any, error) {
		w, err := s.Current(ctx)
		if err != nil {
			return nil, nil, err
		}
		if w.event == nil {
			return nil, nil, errNothingPublished
		}
		return w.event.Data, map[string]any{"contentType": "application/json", "subject": w.event.Subject}, nil
	}
}
