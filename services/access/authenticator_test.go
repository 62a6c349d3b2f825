package access

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/caller"
)

// tokens names the caller after the token's text.
type tokens struct{}

func (tokens) Verify(_ context.Context, text string) (caller.Caller, error) {
	return caller.Caller{Name: text}, nil
}

func TestKeysAndTokensGoToTheirOwn(t *testing.T) {
	w := newTown(t)
	both := NewAuthenticator(w.keys, tokens{})
	who, err := both.Authenticate(t.Context(), bearer(w.good))
	require.NoError(t, err)
	require.Equal(t, caller.Key, who.Kind)
	who, err = both.Authenticate(t.Context(), bearer("a.b.c"))
	require.NoError(t, err)
	require.Equal(t, "a.b.c", who.Name)
	_, err = both.Authenticate(t.Context(), bearer(flip(w.good, 5)))
	require.ErrorContains(t, err, "The API key is not whole", "a bad key is not tried as a token")
}

func TestAKindThatIsNotAcceptedSaysSo(t *testing.T) {
	w := newTown(t)
	_, err := NewAuthenticator(nil, tokens{}).Authenticate(t.Context(), bearer(w.good))
	require.EqualError(t, err, "UNAUTHENTICATED CREDENTIAL_INVALID: API keys are not accepted here. Send a token of the configured issuer.")
	_, err = w.Authenticate(t.Context(), bearer("a.b.c"))
	require.EqualError(t, err, "UNAUTHENTICATED CREDENTIAL_INVALID: Tokens are not accepted here. Send an API key, which starts with tl_.")
}
