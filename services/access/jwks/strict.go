package jwks

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// maxDepth bounds how deep the JSON of a token nests.
const maxDepth = 16

var errJSON = errors.New("no JSON object with each name once")

// decodeBase64 accepts one spelling only: every part of a token has exactly one text.
func decodeBase64(text string) ([]byte, bool) {
	for i := range len(text) {
		// The decoder itself skips line breaks.
		if text[i] == '\n' || text[i] == '\r' {
			return nil, false
		}
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return data, err == nil
}

// decodeObject reads a JSON object. Unlike encoding/json alone it refuses a name that occurs twice, at any depth,
// bytes that are no UTF-8, and anything behind the object. Numbers become json.Number.
func decodeObject(data []byte) (map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, errJSON
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := decodeValue(decoder, 0)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if _, err := decoder.Token(); !ok || !errors.Is(err, io.EOF) {
		return nil, errJSON
	}
	return object, nil
}

func decodeValue(decoder *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errJSON
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, errJSON
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for decoder.More() {
			name, err := decoder.Token()
			text, ok := name.(string)
			if _, twice := object[text]; err != nil || !ok || twice {
				return nil, errJSON
			}
			if object[text], err = decodeValue(decoder, depth+1); err != nil {
				return nil, err
			}
		}
		return object, closing(decoder)
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			value, err := decodeValue(decoder, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, closing(decoder)
	}
	return token, nil
}

// closing reads the bracket that ends an object or a list.
func closing(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return errJSON
	}
	return nil
}
