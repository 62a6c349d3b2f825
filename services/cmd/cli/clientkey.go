package cli

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"trunkline/services/platform/secret"
)

// Where the credential of a command comes from. No flag holds it: flags are seen by every user of the machine.
const (
	keyEnv     = "TRUNKLINE_API_KEY"
	keyFileEnv = "TRUNKLINE_API_KEY_FILE"
	keyFlag    = "api-key-file"
	// maxKey is the longest credential that servers take.
	maxKey = 8 << 10
)

// credential is the API key or token to show to the server; empty when none is given. The flag comes before the variables.
func (f *clientFlags) credential(cmd *cobra.Command) (secret.Text, error) {
	text, name := os.Getenv(keyEnv), keyEnv
	file, fileName := os.Getenv(keyFileEnv), keyFileEnv
	if cmd.Flags().Changed(keyFlag) {
		text, file, fileName = "", f.keyFile, "--"+keyFlag
	}
	switch {
	case text != "" && file != "":
		return secret.Text{}, usagef("%s and %s are both set: set one of them", keyEnv, keyFileEnv)
	case file != "":
		raw, err := readKey(file)
		if err != nil {
			return secret.Text{}, usagef("%s: %s", fileName, err)
		}
		text, name = string(raw), fileName
	}
	text = strings.TrimSpace(text)
	if len(text) > maxKey || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return secret.Text{}, usagef("%s: that is no API key or token: give one line without blanks", name)
	}
	if text == "" && file != "" {
		return secret.Text{}, usagef("%s: the file is empty", name)
	}
	return secret.New(text), nil
}

func readKey(name string) ([]byte, error) {
	f, err := os.Open(name) //nolint:gosec // the caller's own file, named by the caller
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKey+2))
	return bytes.TrimSpace(text), errors.Join(err, f.Close())
}

// mayShow refuses to send a credential where others can read it.
func mayShow(base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Scheme == "https" || isLoopback(u.Hostname()) {
		return err
	}
	return usagef("--server: %s is not encrypted, and the API key would be sent to it: use https://", clean(u.Redacted()))
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// bearer adds the credential to every request. Its client follows no redirects, so it goes to one server only.
type bearer struct {
	next http.RoundTripper
	text secret.Text
}

// RoundTrip sends a copy of the request with the credential.
func (b bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+b.text.Reveal())
	return b.next.RoundTrip(req)
}

// httpClient speaks to the server at base, with the credential when there is one.
func httpClient(transport *http.Transport, base string, key secret.Text) (*http.Client, error) {
	hc := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if key.IsZero() {
		return hc, nil
	}
	if err := mayShow(base); err != nil {
		return nil, err
	}
	hc.Transport = bearer{transport, key}
	return hc, nil
}
