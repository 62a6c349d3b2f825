package accesstest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// attack is one thing to try on the whole server.
type attack struct {
	name string
	// try gives what came of it: an outcome, an HTTP status, or a word.
	try  func(t *testing.T, w *town) string
	want string
}

// groups are all attacks, by what they are about. Their names are in docs/reference/attack-cases.md.
var groups = []struct {
	name    string
	attacks []attack
}{
	{"Fields that callers do not set", massAssignment},
	{"Page tokens", pageTokens},
	{"Web pages of other origins", crossOrigin},
	{"Credentials in wrong places", misplaced},
	{"Messages", messages},
	{"Paths, methods and hosts", targets},
	{"What must not be reachable", exposed},
}

// TestAttacksOnTheWholeServer makes every attack. Afterwards nothing is stored that was not before, and the server
// serves.
func TestAttacksOnTheWholeServer(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	seen := map[string]bool{}
	for _, g := range groups {
		before := w.stored(t)
		for _, a := range g.attacks {
			require.False(t, seen[a.name], "two attacks have the name %q", a.name)
			seen[a.name] = true
			t.Run(a.name, func(t *testing.T) {
				assert.Equal(t, a.want, a.try(t, w))
				if g.name != "Fields that callers do not set" { // those store what may be stored, and look at it
					assert.Equal(t, before, w.stored(t), "something has changed")
				}
			})
		}
	}
	t.Run("page tokens of other lists, to every list", w.requireNoForeignTokens)
	require.Equal(t, "ok", w.call(t, w.viewer, "operators.v1.OperatorService/ListOperators", object{}).outcome())
	require.NotContains(t, w.log.String(), "panic")
}

const (
	createAccount  = "access.v1.AccountService/CreateAccount"
	listOperators  = "operators.v1.OperatorService/ListOperators"
	selectOperator = "routing.v1.RoutingService/SelectOperator"
)

// evil is what every attack would create if it got through.
const evil = `{"account":{"name":"Evil"}}`

// path is how an RPC is called over HTTP.
func path(procedure string) string { return "/trunkline." + procedure }

// without gives the text without the last n characters.
func without(text string, n int) string { return text[:len(text)-n] }

// flip changes one character.
func flip(text string, at int) string {
	c := byte('A')
	if text[at] == c {
		c = 'B'
	}
	return text[:at] + string(c) + text[at+1:]
}

func repeat(text string, n int) string { return strings.Repeat(text, n) }
