package accesstest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const repository = "../../.."

// listed are the attacks of one place.
type listed struct {
	title, file string
	names       []string
}

// TestThePageOfAttacksIsFresh writes the names of all fixed attacks of the repository into one page.
func TestThePageOfAttacksIsFresh(t *testing.T) {
	all := []listed{
		{"API keys, headers and claims", "services/access/attack_test.go", nil},
		{"Tokens", "services/access/jwks/attack_test.go", nil},
		{"Connections", "services/platform/rpcserver/attack_test.go", nil},
	}
	for i := range all {
		all[i].names = namesIn(t, all[i].file)
	}
	for _, g := range groups {
		l := listed{g.name + " (whole server)", "services/cmd/accesstest", nil}
		for _, a := range g.attacks {
			l.names = append(l.names, a.name)
		}
		all = append(all, l)
	}
	total := 0
	for _, l := range all {
		require.NotEmpty(t, l.names, l.file)
		total += len(l.names)
	}
	require.GreaterOrEqual(t, total, 130, "the least that there must be")

	var page strings.Builder
	fmt.Fprintf(&page, `# Attack cases

The %d fixed attacks that the tests make, by name. Each is a case of a table, or a test, in the file named. This page is
generated; write it anew with: go test ./services/cmd/accesstest -run TestThePageOfAttacksIsFresh -update

Beside them stand the matrix of every RPC and every kind of caller (services/cmd/accesstest/testdata/matrix.golden), every
field that names something with what another account has, every list with tokens that it did not give out, and the fuzz tests
of tokens, keys and page tokens.
`, total)
	for _, l := range all {
		fmt.Fprintf(&page, "\n## %s\n\n%d cases in `%s`.\n\n", l.title, len(l.names), l.file)
		for i, name := range l.names {
			fmt.Fprintf(&page, "%d. %s\n", i+1, escaped(name))
		}
	}
	compare(t, filepath.Join(repository, "docs", "reference", "attack-cases.md"), page.String())
}

// escaped keeps Markdown from reading a name.
func escaped(name string) string {
	return strings.NewReplacer("*", `\*`, "_", `\_`, "<", `\<`, "`", "\\`").Replace(strings.ReplaceAll(name, "\n", " "))
}

// namesIn reads the names of the cases of the table attacks, or of the tests where there is no such table.
func namesIn(t *testing.T, path string) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(repository, path), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var tests []string
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
			tests = append(tests, sentence(strings.TrimPrefix(f.Name.Name, "Test")))
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		value, ok := n.(*ast.ValueSpec)
		if !ok || len(value.Names) != 1 || value.Names[0].Name != "attacks" {
			return true
		}
		for _, one := range value.Values[0].(*ast.CompositeLit).Elts {
			names = append(names, nameOf(t, one.(*ast.CompositeLit)))
		}
		return false
	})
	if names == nil {
		return tests
	}
	return names
}

// nameOf reads the field name of a case.
func nameOf(t *testing.T, one *ast.CompositeLit) string {
	t.Helper()
	at := slices.IndexFunc(one.Elts, func(e ast.Expr) bool {
		pair, ok := e.(*ast.KeyValueExpr)
		return ok && pair.Key.(*ast.Ident).Name == "name"
	})
	require.GreaterOrEqual(t, at, 0, "a case has no name")
	literal, ok := one.Elts[at].(*ast.KeyValueExpr).Value.(*ast.BasicLit)
	require.True(t, ok, "a name is no plain text")
	text, err := strconv.Unquote(literal.Value)
	require.NoError(t, err)
	return text
}

// word is one of a name such as AnHTTP2ConnectionIsCut.
var word = regexp.MustCompile(`[A-Z]+[0-9]+|[A-Z][a-z]*`)

// sentence writes AnHTTP2ConnectionIsCut as "an HTTP2 connection is cut".
func sentence(name string) string {
	words := word.FindAllString(name, -1)
	for i, w := range words {
		if !strings.ContainsAny(w, "0123456789") {
			words[i] = strings.ToLower(w)
		}
	}
	return strings.Join(words, " ")
}
