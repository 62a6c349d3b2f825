package rpcserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// discardUnknownFields is the one choice about JSON members the schema does not
// know. They are ignored, as in the binary form and in the RPC library's own
// codec, so that a newer client can talk to an older server during a rollout.
//
// The decoder's option of that name also ignores unknown enum names, which is
// another matter: a filter with a misspelled state would silently match
// everything. decodeJSON therefore rejects those itself.
const discardUnknownFields = true

// decodeJSON decodes strictly first, because that is one pass for every good
// message. Only a message that fails is decoded again with unknown fields
// allowed and searched for unknown enum names.
func decodeJSON(data []byte, m proto.Message) error {
	if len(data) == 0 {
		return errEmptyJSON
	}
	strict := protojson.Unmarshal(data, m)
	if strict == nil || !discardUnknownFields {
		return strict
	}
	proto.Reset(m)
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, m); err != nil {
		return err
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return strict
	}
	if path, found := unknownEnum(tree, m.ProtoReflect().Descriptor(), ""); found {
		return &unknownEnumError{path: path}
	}
	return nil
}

var errEmptyJSON = errors.New("empty JSON body")

type unknownEnumError struct{ path string }

func (e *unknownEnumError) Error() string { return "unknown enum name at " + e.path }

// unknownEnum looks for an enum given by a name its type does not have. The
// tree has decoded before, so its shape fits the descriptor wherever it matters.
func unknownEnum(tree any, d protoreflect.MessageDescriptor, at string) (string, bool) {
	object, ok := tree.(map[string]any)
	if !ok || strings.HasPrefix(string(d.FullName()), "google.protobuf.") {
		return "", false // well-known types have JSON forms of their own
	}
	for name, value := range object {
		fd := d.Fields().ByJSONName(name)
		if fd == nil {
			fd = d.Fields().ByTextName(name)
		}
		if fd == nil {
			continue
		}
		if path, found := unknownEnumIn(value, fd, join(at, fd.JSONName())); found {
			return path, true
		}
	}
	return "", false
}

func unknownEnumIn(value any, fd protoreflect.FieldDescriptor, at string) (string, bool) {
	switch v := value.(type) {
	case []any:
		if fd.IsList() {
			for i, element := range v {
				if path, found := unknownEnumValue(element, fd, fmt.Sprintf("%s[%d]", at, i)); found {
					return path, true
				}
			}
			return "", false
		}
	case map[string]any:
		if fd.IsMap() {
			for _, element := range v {
				// The key is the caller's text and is not repeated.
				if path, found := unknownEnumValue(element, fd.MapValue(), at+"[*]"); found {
					return path, true
				}
			}
			return "", false
		}
	}
	return unknownEnumValue(value, fd, at)
}

func unknownEnumValue(value any, fd protoreflect.FieldDescriptor, at string) (string, bool) {
	switch fd.Kind() {
	case protoreflect.EnumKind:
		name, ok := value.(string)
		return at, ok && fd.Enum().Values().ByName(protoreflect.Name(name)) == nil
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return unknownEnum(value, fd.Message(), at)
	}
	return "", false
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

var (
	jsonPosition = regexp.MustCompile(`\(line (\d+):(\d+)\)`)
	jsonField    = regexp.MustCompile(`^[^)]*\): invalid value for (\w+) field (\w+): `)
)

// explainJSON says, behind the field at fault where it is known and a fieldMark,
// where the JSON is wrong without repeating any of it. The
// decoder offers position and field only inside a text that also quotes the
// value, so exactly these parts are cut out; if its wording changes the answer
// becomes less helpful and stays safe.
func explainJSON(err error) string {
	var enum *unknownEnumError
	switch {
	case errors.Is(err, errEmptyJSON):
		return "The body is empty. An empty request is the JSON object {}."
	case errors.As(err, &enum):
		return enum.path + fieldMark + "The field " + enum.path + " has no such enum value."
	}
	text := err.Error()
	what := "The body is not valid JSON of the expected message"
	if m := jsonField.FindStringSubmatch(text); m != nil {
		what = m[2] + fieldMark + fmt.Sprintf("The field %s is not a valid %s", m[2], m[1])
	}
	if m := jsonPosition.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("%s (line %s, column %s).", what, m[1], m[2])
	}
	return what + "."
}
