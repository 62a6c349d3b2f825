package rpc

import (
	"strings"
	"testing"

	"buf.build/go/protovalidate"
	"github.com/stretchr/testify/require"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
)

// FuzzValidQuestion holds the check that is written by hand against the rules of the schema.
func FuzzValidQuestion(f *testing.F) {
	const id, to = "00000000-0000-0000-0000-000000000001", "+447700900123"
	f.Add(to, id, int32(1), "m-1", id, 1)
	for _, bad := range []string{
		"", "+", to[1:], to + "\n", "\n" + to, "+0447700900123", "+123456", "+1234567", "+123456789012345", "+1234567890123456", "+44 7700900123",
		"+44770090012é", "+٤٤٧٧٠٠٩٠٠١٢٣", "++4477009001", "\xff+4477009001",
	} {
		f.Add(bad, id, int32(1), "", "", 0)
	}
	for _, text := range []string{
		"", "urn:uuid:" + id, "{" + id + "}", strings.ReplaceAll(id, "-", ""), strings.ToUpper("abcdefab-cdef-abcd-efab-cdefabcdefab"), id + " ", id[:35], id[:35] + "g",
		"0000000-00000-0000-0000-000000000001", "00000000-0000-0000-0000-00000000000\x00", "00000000_0000-0000-0000-000000000001",
	} {
		f.Add(to, text, int32(2), "", "", 0)
		f.Add(to, id, int32(3), "", text, 1)
	}
	for _, kind := range []int32{-1, 0, 1, 2, 3, 4, 1 << 30} {
		f.Add(to, id, kind, "", "", 0)
	}
	for _, message := range []string{strings.Repeat("m", 128), strings.Repeat("m", 129), strings.Repeat("é", 128), strings.Repeat("é", 129), strings.Repeat("\xff", 128)} {
		f.Add(to, id, int32(1), message, "", 0)
	}
	f.Add(to, id, int32(1), "", id, 32)
	f.Add(to, id, int32(1), "", id, 33)

	rules, err := protovalidate.New(protovalidate.WithMessages(&routingv1.SelectOperatorRequest{}))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, to, account string, kind int32, message, excluded string, n int) {
		q := &routingv1.SelectOperatorRequest{To: to, AccountId: account, MessageType: routingv1.MessageType(kind), MessageId: message}
		for range min(max(n, 0), 40) {
			q.ExcludeOperatorIds = append(q.ExcludeOperatorIds, excluded)
		}
		require.Equal(t, rules.Validate(q) == nil, validQuestion(q))
	})
}

func TestEveryFieldOfAQuestionIsLookedAt(t *testing.T) {
	fields := (&routingv1.SelectOperatorRequest{}).ProtoReflect().Descriptor().Fields()
	require.Equal(t, 5, fields.Len(), "validQuestion and its fuzz test know five fields")
}
