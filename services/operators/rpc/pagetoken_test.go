package rpc

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
)

func TestATokenBelongsToOneListAndOneText(t *testing.T) {
	token := writeToken("list a", "Alpha")
	position, err := readToken("list a", token, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"Alpha"}, position)
	position, err = readToken("list a", "", 1)
	require.NoError(t, err)
	require.Nil(t, position)

	_, err = readToken("list b", token, 1)
	require.True(t, fault.Is(err, ReasonPageToken), "another list with positions of the same shape")
	_, err = readToken("list a", token, 2)
	require.True(t, fault.Is(err, ReasonPageToken), "a position of another shape")

	// The last letter holds spare bits, which must be zero: one position has one token.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	loose := token[:len(token)-1] + alphabet[last+1:last+2]
	strict, err := base64.RawURLEncoding.DecodeString(token)
	require.NoError(t, err)
	same, err := base64.RawURLEncoding.DecodeString(loose)
	require.NoError(t, err)
	require.Equal(t, strict, same)
	_, err = readToken("list a", loose, 1)
	require.True(t, fault.Is(err, ReasonPageToken))
}

func TestPageSizesAreBounded(t *testing.T) {
	for asked, want := range map[int32]int{0: 100, -1: 100, 1: 1, 1000: 1000, 1001: 1000} {
		require.Equal(t, want, pageSize(asked))
	}
}
