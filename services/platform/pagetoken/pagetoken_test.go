package pagetoken_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pagetoken"
)

func TestATokenBelongsToOneListAndOneText(t *testing.T) {
	const a, b = pagetoken.List("list a"), pagetoken.List("list b")
	token := a.Write("Alpha")
	position, err := a.Read(token, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"Alpha"}, position)
	position, err = a.Read("", 1)
	require.NoError(t, err)
	require.Nil(t, position)

	_, err = b.Read(token, 1)
	require.True(t, fault.Is(err, pagetoken.ReasonInvalid), "another list with positions of the same shape")
	_, err = a.Read(token, 2)
	require.True(t, fault.Is(err, pagetoken.ReasonInvalid), "a position of another shape")

	// The last letter holds spare bits, which must be zero: one position has one token.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	loose := token[:len(token)-1] + alphabet[last+1:last+2]
	strict, err := base64.RawURLEncoding.DecodeString(token)
	require.NoError(t, err)
	same, err := base64.RawURLEncoding.DecodeString(loose)
	require.NoError(t, err)
	require.Equal(t, strict, same)
	_, err = a.Read(loose, 1)
	require.True(t, fault.Is(err, pagetoken.ReasonInvalid))
}

func TestAListIsItsFilterAndNotItsPage(t *testing.T) {
	name := func(req *accessv1.ListAccountsRequest) pagetoken.List {
		list, err := pagetoken.ListOf("/x/ListAccounts", req)
		require.NoError(t, err)
		return list
	}
	first := name(&accessv1.ListAccountsRequest{Search: "nord"})
	require.Equal(t, first, name(&accessv1.ListAccountsRequest{Search: "nord", PageSize: 7, PageToken: "t"}))
	require.NotEqual(t, first, name(&accessv1.ListAccountsRequest{Search: "sud"}))
	other, err := pagetoken.ListOf("/x/ListOthers", &accessv1.ListAccountsRequest{Search: "nord"})
	require.NoError(t, err)
	require.NotEqual(t, first, other)
}

func TestPageSizesAreBounded(t *testing.T) {
	for asked, want := range map[int32]int{0: 100, -1: 100, 1: 1, 1000: 1000, 1001: 1000} {
		require.Equal(t, want, pagetoken.Size(asked))
	}
}

// FuzzRead never takes a token that was not written for the list.
func FuzzRead(f *testing.F) {
	const list = pagetoken.List("list")
	f.Add(list.Write("a", "b"))
	f.Add("")
	f.Add("AAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, token string) {
		position, err := list.Read(token, 2)
		if err == nil && token != "" {
			require.Equal(t, token, list.Write(position...))
		}
	})
}
