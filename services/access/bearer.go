package access

import (
	"net/http"
	"strings"

	"trunkline/services/platform/fault"
)

// MaxCredential is the longest credential in bytes.
const MaxCredential = 8 << 10

const (
	authorizationHeader = "Authorization"
	keyHeader           = "X-Api-Key"
	bearerScheme        = "Bearer"
)

// credential is the one credential of a call.
type credential struct {
	text string
	// keyOnly is set for the header that carries API keys and nothing else.
	keyOnly bool
}

// credentialIn finds it in the headers and nowhere else: addresses end up in logs. It checks the form that all
// credentials share, so what it returns has no blanks and no control characters.
func credentialIn(header http.Header) (credential, error) {
	bearer, keys := header[authorizationHeader], header[keyHeader]
	var found credential
	switch {
	case len(bearer)+len(keys) == 0:
		return credential{}, fault.New(fault.Unauthenticated, ReasonRequired,
			`The call shows no credential. Send the header "Authorization: Bearer" with a token or an API key.`)
	case len(bearer)+len(keys) > 1:
		return credential{}, Invalid("The call shows more than one credential. Send one header Authorization or one header x-api-key.")
	case len(keys) == 1:
		found = credential{text: keys[0], keyOnly: true}
	default:
		scheme, text, _ := strings.Cut(bearer[0], " ")
		if !strings.EqualFold(scheme, bearerScheme) {
			return credential{}, Invalid(`The header Authorization is of another scheme. Write "Bearer", one blank and the token or API key.`)
		}
		found = credential{text: text}
	}
	switch {
	case len(found.text) > MaxCredential:
		return credential{}, Invalid("The credential is longer than 8 KiB. Ask the issuer for a token with fewer claims.")
	case !isToken68(found.text):
		return credential{}, Invalid("The credential is empty or holds a character that none has. Copy it again, without blanks and quotes.")
	}
	return found, nil
}

// isToken68 checks for what RFC 7235 allows in place of a credential.
func isToken68(text string) bool {
	body := strings.TrimRight(text, "=")
	for i := range len(body) {
		if !isDigit62(body[i]) && strings.IndexByte("-._~+/", body[i]) < 0 {
			return false
		}
	}
	return body != ""
}
