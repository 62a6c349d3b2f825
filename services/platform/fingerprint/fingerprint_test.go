package fingerprint_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/apipb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/fingerprint"
)

func TestAFingerprintIsOfTheProcedureAndOfWhatIsAsked(t *testing.T) {
	of := func(procedure string, m proto.Message) string {
		text, err := fingerprint.Of(procedure, m)
		require.NoError(t, err)
		return text
	}
	one := of("/Create", wrapperspb.String("x"))
	require.Equal(t, one, of("/Create", wrapperspb.String("x")))
	require.NotEqual(t, one, of("/Create", wrapperspb.String("y")))
	require.NotEqual(t, one, of("/Delete", wrapperspb.String("x")))
	require.NotEqual(t, of("/Create", &apipb.Api{Name: "x"}), of("/Create", &apipb.Api{Version: "x"}))
	require.Equal(t, of("/Create", &operatorsv1.CreateOperatorRequest{Password: "a"}), of("/Create", &operatorsv1.CreateOperatorRequest{Password: "b"}),
		"a hash of a short password is as good as the password")
}

func TestARequestOfACallerOfAnotherAccountIsAnother(t *testing.T) {
	of := func(account uuid.UUID) string {
		text, err := fingerprint.OfCall(caller.With(t.Context(), caller.Caller{Name: "jwt:alice", Account: account}), wrapperspb.String("x"))
		require.NoError(t, err)
		return text
	}
	one := uuid.New()
	require.Equal(t, of(one), of(one))
	require.NotEqual(t, of(one), of(uuid.New()))
	require.NotEqual(t, of(one), of(uuid.Nil))
}
