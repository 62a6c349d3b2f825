package cli_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	_ "trunkline/gen/go/trunkline/access/v1"
	_ "trunkline/gen/go/trunkline/operators/v1"
	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	_ "trunkline/gen/go/trunkline/routing/v1"
)

const (
	schemaFolder = "../../../proto"
	accessPage   = "../../../docs/reference/access.md"
)

// schemaServices are the services of the schema that are linked into this test, by name.
func schemaServices() []protoreflect.ServiceDescriptor {
	var all []protoreflect.ServiceDescriptor
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(file.Package()), "trunkline.") {
			for i := range file.Services().Len() {
				all = append(all, file.Services().Get(i))
			}
		}
		return true
	})
	slices.SortFunc(all, func(a, b protoreflect.ServiceDescriptor) int { return cmp.Compare(a.FullName(), b.FullName()) })
	return all
}

func accessOf(m protoreflect.MethodDescriptor) *optionsv1.Access {
	access, _ := proto.GetExtension(m.Options(), optionsv1.E_Access).(*optionsv1.Access)
	return access
}

// TestEveryRPCStatesItsAccess fails for an RPC whose schema does not say who may call it: deny is the
// default, and a forgotten option must not wait for a caller to be noticed.
func TestEveryRPCStatesItsAccess(t *testing.T) {
	for _, service := range schemaServices() {
		for i := range service.Methods().Len() {
			m := service.Methods().Get(i)
			access := accessOf(m)
			require.NotEqual(t, optionsv1.Role_ROLE_UNSPECIFIED, access.GetRole(), "%s states no role: add option (trunkline.options.v1.access)", m.FullName())
			require.NotEqual(t, optionsv1.Audience_AUDIENCE_UNSPECIFIED, access.GetAudience(), "%s states no audience", m.FullName())
		}
	}
}

// TestNoServiceIsForgotten compares with the files of the schema, because a package that nobody imports would
// be missing above and below.
func TestNoServiceIsForgotten(t *testing.T) {
	var declared, linked []string
	packageOf := regexp.MustCompile(`(?m)^package (\S+);`)
	serviceOf := regexp.MustCompile(`(?m)^service (\w+) \{`)
	require.NoError(t, filepath.WalkDir(schemaFolder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".proto" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range serviceOf.FindAllSubmatch(text, -1) {
			declared = append(declared, string(packageOf.FindSubmatch(text)[1])+"."+string(found[1]))
		}
		return err
	}))
	for _, service := range schemaServices() {
		linked = append(linked, string(service.FullName()))
	}
	require.ElementsMatch(t, declared, linked, "import the generated package of each service here")
}

func TestTheAccessPageIsThatOfTheSchema(t *testing.T) {
	got := accessMatrix()
	if *update {
		require.NoError(t, os.WriteFile(accessPage, got, 0o644))
	}
	want, err := os.ReadFile(accessPage)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "write docs/reference/access.md anew: go test ./services/cmd/cli -run AccessPage -update")
}

const accessIntro = `# Access

Who may call what. This page is generated from the access option of each RPC, which the server enforces before it reads a
message; an RPC without the option stops the build and the start. Deny is the default.

A higher role includes the lower ones: **viewer** reads and asks for routes, **operator** changes operators, rules and rates,
**admin** changes accounts, keys and releases.

- **public** RPCs want a token or an API key of at least the role. A credential that is bound to an account may call those that
  are *account-scoped*, whose answers are limited to its account, and no others.
- **internal** RPCs want a client certificate with an identity that the configuration names for the RPC, on the internal
  listener. The role is the one its caller gets.

gRPC health, reflection (where it is on) and the pages ` + "`/health`, `/ready` and `/metrics`" + ` want no credential. GET is Connect's
HTTP GET, which RPCs without side effects take too.
`

// accessMatrix writes the page.
func accessMatrix() []byte {
	var page bytes.Buffer
	page.WriteString(accessIntro)
	for _, service := range schemaServices() {
		fmt.Fprintf(&page, "\n## %s\n\n| RPC | audience | least role | account-scoped | shape |\n|---|---|---|---|---|\n", service.FullName())
		for i := range service.Methods().Len() {
			m := service.Methods().Get(i)
			access := accessOf(m)
			fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s |\n", m.Name(),
				word(access.GetAudience(), "AUDIENCE_"), word(access.GetRole(), "ROLE_"), yesNo(access.GetAccountScoped()), shapeOf(m))
		}
	}
	return page.Bytes()
}

func word(value fmt.Stringer, prefix string) string {
	return strings.ToLower(strings.TrimPrefix(value.String(), prefix))
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func shapeOf(m protoreflect.MethodDescriptor) string {
	options, _ := m.Options().(*descriptorpb.MethodOptions)
	switch {
	case m.IsStreamingClient() && m.IsStreamingServer():
		return "stream both ways"
	case m.IsStreamingClient():
		return "stream of requests"
	case m.IsStreamingServer():
		return "stream of answers"
	case options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS:
		return "unary, GET"
	}
	return "unary"
}
