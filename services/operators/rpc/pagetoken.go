package rpc

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"trunkline/services/platform/fault"
)

// ReasonPageToken marks a page token that this list did not give out.
const ReasonPageToken = "INVALID_PAGE_TOKEN"

// defaultPage is the page size when the caller gives none; the schema bounds it
// to 1000.
const (
	defaultPage = 100
	largestPage = 1000
)

const checksumBytes = 8

// writeToken makes a token for the position, a list of texts, in a list. The list
// is its procedure and everything that filters it.
func writeToken(list string, position ...string) string {
	body, err := json.Marshal(position)
	if err != nil {
		// A list of texts can always be written.
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(append(checksum(list, body), body...))
}

// listOf names a list: its procedure and everything in the request but where the page starts and how long it is.
func listOf(procedure string, req proto.Message) (string, error) {
	filter := req.ProtoReflect().New()
	req.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if name := field.Name(); name != "page_token" && name != "page_size" {
			filter.Set(field, value)
		}
		return true
	})
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(filter.Interface())
	if err != nil {
		return "", fault.From(err)
	}
	return procedure + "\x00" + string(body), nil
}

// readToken returns the position. An empty token is the start of the list: nil.
func readToken(list, token string, parts int) ([]string, error) {
	if token == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < checksumBytes || !bytes.Equal(raw[:checksumBytes], checksum(list, raw[checksumBytes:])) {
		return nil, invalidToken()
	}
	var position []string
	if err := json.Unmarshal(raw[checksumBytes:], &position); err != nil || len(position) != parts {
		return nil, invalidToken()
	}
	return position, nil
}

func checksum(list string, body []byte) []byte {
	sum := sha256.Sum256(append([]byte(list+"\x00"), body...))
	return sum[:checksumBytes]
}

func invalidToken() error {
	return fault.Invalid(ReasonPageToken, fault.Violation{
		Field: "page_token", Description: "must be the next_page_token of the page before, with the same filter",
	})
}

func pageSize(asked int32) int {
	if asked <= 0 {
		return defaultPage
	}
	return min(int(asked), largestPage)
}
