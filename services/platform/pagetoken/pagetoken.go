// Package pagetoken makes the opaque tokens by which lists go on. A token belongs to one list with one filter: another
// list, another filter or a changed token is refused. It is no secret and guards nothing else.
package pagetoken

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"trunkline/services/platform/fault"
)

// ReasonInvalid marks a token that this list did not give out.
const ReasonInvalid = "INVALID_PAGE_TOKEN"

// Sizes of pages. The schema bounds what callers ask for to Largest.
const (
	Default = 100
	Largest = 1000
)

const checksumBytes = 8

// List is the name of a list: its procedure and everything in the request but where the page starts and how long it is.
type List string

// ListOf names the list that a request asks for.
func ListOf(procedure string, req proto.Message) (List, error) {
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
	return List(procedure + "\x00" + string(body)), nil
}

// Write makes a token for the position, a list of texts.
func (l List) Write(position ...string) string {
	body, err := json.Marshal(position)
	if err != nil {
		// A list of texts can always be written.
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(append(l.checksum(body), body...))
}

// Read returns the position, which has this many parts. An empty token is the start of the list: nil.
func (l List) Read(token string, parts int) ([]string, error) {
	if token == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < checksumBytes || !bytes.Equal(raw[:checksumBytes], l.checksum(raw[checksumBytes:])) {
		return nil, Invalid()
	}
	var position []string
	if err := json.Unmarshal(raw[checksumBytes:], &position); err != nil || len(position) != parts {
		return nil, Invalid()
	}
	return position, nil
}

func (l List) checksum(body []byte) []byte {
	sum := sha256.Sum256(append([]byte(string(l)+"\x00"), body...))
	return sum[:checksumBytes]
}

// Invalid is the fault of a token that this list did not give out.
func Invalid() error {
	return fault.Invalid(ReasonInvalid, fault.Violation{
		Field: "page_token", Description: "must be the next_page_token of the page before, with the same filter",
	})
}

// Size is the length of a page for what was asked; 0 asks for Default.
func Size(asked int32) int {
	if asked <= 0 {
		return Default
	}
	return min(int(asked), Largest)
}
