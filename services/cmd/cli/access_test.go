package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	optionsv1 "trunkline/gen/go/trunkline/options/v1"
)

// TestEveryRPCStatesItsAccess fails for an RPC whose schema does not say who may call it: deny is the
// default, and a forgotten option must not wait for a caller to be noticed.
func TestEveryRPCStatesItsAccess(t *testing.T) {
	rpcs := 0
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), "trunkline.") {
			return true
		}
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				rpcs++
				m := methods.Get(j)
				access, _ := proto.GetExtension(m.Options(), optionsv1.E_Access).(*optionsv1.Access)
				require.NotEqual(t, optionsv1.Role_ROLE_UNSPECIFIED, access.GetRole(), "%s states no role: add option (trunkline.options.v1.access)", m.FullName())
				require.NotEqual(t, optionsv1.Audience_AUDIENCE_UNSPECIFIED, access.GetAudience(), "%s states no audience", m.FullName())
			}
		}
		return true
	})
	require.GreaterOrEqual(t, rpcs, 7, "the services are linked into this test")
}
