package jwks

import (
	"slices"
	"strings"

	"trunkline/services/access"
)

// forbiddenHeaders let a token bring or name its own key, or change how it is read.
var forbiddenHeaders = []string{"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"}

// tokenTypes are the values of typ in lower case. A token without typ is accepted too.
var tokenTypes = []string{"jwt", "at+jwt"}

// head is what a token says of itself. Nothing of it is proved.
type head struct {
	algorithm, keyID string
}

// readHead checks the form of a token and everything that its header must and must not say.
func readHead(text string, algorithms []string) (head, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || parts[2] == "" {
		return head{}, access.Invalid("The credential is neither an API key nor a signed token of three parts. Copy it again, whole.")
	}
	var decoded [3][]byte
	for i, part := range parts {
		var ok bool
		if decoded[i], ok = decodeBase64(part); !ok {
			return head{}, access.Invalid("A part of the token is not base64url without padding. Copy it again, whole.")
		}
	}
	header, err := decodeObject(decoded[0])
	if err != nil {
		return head{}, access.Invalid("The token's header is no JSON object with each name once. Get a new token.")
	}
	for _, name := range forbiddenHeaders {
		if _, there := header[name]; there {
			return head{}, access.Invalid("The token's header has " + name + ", which is not accepted. Keys come from the configured issuer only.")
		}
	}
	if kind, there := header["typ"]; there {
		if text, ok := kind.(string); !ok || !slices.Contains(tokenTypes, strings.ToLower(text)) {
			return head{}, access.Invalid("The token is of another type (typ) than JWT or at+jwt. Send an access token.")
		}
	}
	var h head
	if h.algorithm, _ = header["alg"].(string); !slices.Contains(algorithms, h.algorithm) {
		return head{}, access.Invalid("The token's algorithm (alg) is not accepted here; use " + strings.Join(algorithms, ", ") + ".")
	}
	if h.keyID, _ = header["kid"].(string); h.keyID == "" || len(h.keyID) > maxKeyID {
		return head{}, access.Invalid("The token does not name its key: the header kid must be a text of 1 to 256 bytes.")
	}
	return h, nil
}
