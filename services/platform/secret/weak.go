package secret

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Weakness says what is wrong with a secret that protects nothing, such as "is a placeholder", or "" when nothing
// is known against it. Of a connection string the password is judged, and one without a password is fine, as is an
// empty secret when minBytes is 0. It finds what people leave behind or type to get going; it does not measure how
// hard a secret is to guess.
func (s Text) Weakness(minBytes int) string {
	text := s.Reveal()
	if u, err := url.Parse(text); err == nil && u.Scheme != "" && u.Host != "" {
		password, _ := u.User.Password()
		if password == "" {
			password = u.Query().Get("password")
		}
		switch {
		case password == "":
			return ""
		case password == u.User.Username():
			return "has the name of the user as its password"
		}
		if w := New(password).Weakness(minBytes); w != "" {
			return "has a password that " + w
		}
		return ""
	}
	letters := lettersAndDigits(text)
	switch {
	case len(text) < minBytes:
		return "is too short"
	case text == "":
		return ""
	case isTemplate(text):
		return "is a template that nobody filled in"
	case isPlaceholder(text, letters):
		return "is a placeholder"
	case repeats(letters):
		return "repeats itself"
	case isRun(letters):
		return "is a row of neighbouring characters"
	}
	return ""
}

func lettersAndDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

// isTemplate finds ${NAME}, {{ .Name }} and <name>.
func isTemplate(text string) bool {
	for open, end := range map[string]string{"${": "}", "{{": "}}", "<": ">"} {
		if strings.HasPrefix(text, open) && strings.HasSuffix(text, end) {
			return true
		}
	}
	return false
}

// isPlaceholder reports whether the text is made of nothing but the words of placeholders, with digits and signs
// around them: changeme, Password1!, dev-secret-key. Short words alone prove nothing: random digits have them too.
func isPlaceholder(text, letters string) bool {
	if slices.Contains(placeholders, letters) {
		return true
	}
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) })
	longest := 0
	for _, word := range words {
		if !slices.Contains(placeholders, word) {
			return false
		}
		longest = max(longest, len(word))
	}
	return longest >= 4
}

var placeholders = []string{
	"changeme", "changeit", "changethis", "change", "replaceme", "replace", "me", "it", "this", "please", "now", "later",
	"secret", "mysecret", "topsecret", "supersecret", "verysecret", "super", "very", "top", "my", "your", "our", "the", "a", "an",
	"password", "passwd", "passwort", "pass", "pwd", "pw", "passw0rd", "p4ssw0rd", "mypassword", "yourpassword", "passphrase",
	"key", "token", "pepper", "salt", "value", "string", "credential", "credentials",
	"default", "example", "sample", "dummy", "fake", "demo", "test", "testing", "dev", "devonly", "development", "local", "only",
	"prod", "production", "staging", "insecure", "unsafe", "not", "for", "in", "to", "do", "todo", "fixme", "tbd", "placeholder", "here",
	"none", "null", "nil", "empty", "undefined", "admin", "administrator", "root", "user", "guest", "anonymous", "service",
	"postgres", "postgresql", "redis", "nats", "vault", "trunkline", "database", "db", "server",
	"letmein", "welcome", "qwerty", "qwertyuiop", "asdf", "asdfgh", "foo", "bar", "baz", "foobar", "hunter2", "monkey", "dragon",
}

// repeats reports whether the text is one shorter text several times over.
func repeats(text string) bool {
	for period := 1; period <= len(text)/2; period++ {
		if len(text)%period == 0 && strings.Repeat(text[:period], len(text)/period) == text {
			return true
		}
	}
	return false
}

// isRun reports whether four of five characters are the neighbour of the one before, as in 12345678.
func isRun(text string) bool {
	if len(text) < 2 {
		return false
	}
	near := 0
	for i := 1; i < len(text); i++ {
		if d := int(text[i]) - int(text[i-1]); d >= -1 && d <= 1 {
			near++
		}
	}
	return near*5 >= (len(text)-1)*4
}
