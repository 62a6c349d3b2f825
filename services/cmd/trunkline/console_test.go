package main_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDevServesTheConsole holds whether or not the bundle was built into the binary.
func TestDevServesTheConsole(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		auth string
	}{
		{"without credentials", nil, "false"},
		{"with credentials", []string{"--auth"}, "true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, url, _ := startDev(t, append(c.args, "--no-demo")...)
			require.Equal(t, url+"/console/", p.find(t, `Console +(http\S+)`))
			code, body := get(url + "/console/settings.json")
			require.Equal(t, http.StatusOK, code)
			require.Regexp(t, `^\{"engineUrl":"","environment":"dev","version":".*","auth":`+c.auth+`\}$`, body)
		})
	}
}
