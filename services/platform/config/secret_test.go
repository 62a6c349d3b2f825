package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/config"
)

func TestASecretThatIsNotSetShowsNothing(t *testing.T) {
	l, err := config.Load(defaults(), config.Options{})
	require.NoError(t, err)
	require.Empty(t, setting(t, l, "store.dsn").Value)
}

func TestSecretsInMapsAreRedactedInSettingsAndErrors(t *testing.T) {
	l, err := config.Load(defaults(), config.Options{Environ: []string{"TRUNKLINE_STORE_KEYS=k2=hunter2,k1=hunter2"}})
	require.NoError(t, err)
	got := setting(t, l, "store.keys")
	require.Equal(t, "k1=[redacted],k2=[redacted]", got.Value)
	require.True(t, got.Secret)

	for _, env := range []string{"TRUNKLINE_STORE_KEYS=hunter2", "TRUNKLINE_STORE_KEYS=k=a,hunter2"} {
		_, err = config.Load(defaults(), config.Options{Environ: []string{env}})
		require.ErrorContains(t, err, `store.keys = "[redacted]"`)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err = config.Load(defaults(), config.Options{File: write(t, "store: {dsn: 8675309}")})
	require.ErrorContains(t, err, "quotes")
	require.NotContains(t, err.Error(), "8675309")
}

func TestCredentialsInAddressesAreHidden(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"user and password", "nats://user:hunter2@host:4222", "nats://[redacted]@host:4222"},
		{"a token", "nats://hunter2@host:4222", "nats://[redacted]@host:4222"},
		{"no scheme", "user:hunter2@host:6379", "[redacted]@host:6379"},
		{"an @ in the password", "nats://user:a@hunter2@host", "nats://[redacted]@host"},
		{"no credentials", "nats://host:4222", "nats://host:4222"},
		{"an @ and no colon", "someone@host", "someone@host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := config.Load(defaults(), config.Options{Environ: []string{"TRUNKLINE_NAME=" + c.value, "TRUNKLINE_STORE_REPLICAS=" + c.value, "TRUNKLINE_STORE_LABELS=k=" + c.value}})
			require.NoError(t, err)
			require.Equal(t, c.want, setting(t, l, "name").Value)
			require.Equal(t, c.want, setting(t, l, "store.replicas").Value)
			require.NotContains(t, setting(t, l, "store.labels").Value, "hunter2")
		})
	}
	l, err := config.Load(defaults(), config.Options{Environ: []string{"TRUNKLINE_STORE_REPLICAS=nats://a:1,nats://u:hunter,2@b:1"}})
	require.NoError(t, err)
	require.Equal(t, "nats://[redacted]@b:1", setting(t, l, "store.replicas").Value, "a comma may be part of the password")

	for name, env := range map[string]string{
		"a value that cannot be converted": "TRUNKLINE_READ_TIMEOUT=https://u:hunter2@host",
		"a value that a check refuses":     "TRUNKLINE_SERVER_ADDR_CHECKED=https://u:hunter2@host",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(checked{Server: checkedServer{Addr: "x"}, ReadTimeout: 1}, config.Options{Environ: []string{env}})
			require.ErrorContains(t, err, `"https://[redacted]@host"`)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

// checked refuses every address but x.
type checked struct {
	Server      checkedServer `koanf:"server"`
	ReadTimeout time.Duration `koanf:"read_timeout" doc:"x"`
}

type checkedServer struct {
	Addr string `koanf:"addr_checked" doc:"x"`
}

func (c checkedServer) Validate() error {
	if c.Addr != "x" {
		return config.Invalid("addr_checked", "", "write x")
	}
	return nil
}

func TestBrokenYAMLDoesNotShowItsSecrets(t *testing.T) {
	for name, content := range map[string]string{
		"a password that looks like a reference": "store:\n  dsn: *hunter2\n",
		"a password and nothing else":            "hunter2\n",
		"a password with a quotation mark":       "hunter2'`\n",
		"a list":                                 "- hunter2\n",
		"a tag":                                  "store: {dsn: !!int hunter2}\n",
		"an open quotation":                      "store:\n  dsn: \"hunter2\n",
		"a wrong escape":                         "store:\n  dsn: \"hunter2\\q\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(defaults(), config.Options{File: write(t, content)})
			require.ErrorContains(t, err, "is not valid YAML")
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestASecretThatYAMLTakesForAKeyIsNotShown(t *testing.T) {
	for _, content := range []string{"store: {dsn: {hunter2}}", "store:\n  dsn: {a.hunter2: {b: c}}\n"} {
		_, err := config.Load(defaults(), config.Options{File: write(t, content)})
		require.ErrorContains(t, err, "store.dsn (file")
		require.ErrorContains(t, err, "write a single value, in quotes")
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestASecretInPlaceOfThePathOfItsFileIsNotShown(t *testing.T) {
	for _, value := range []string{"hunter2", "postgres://u:hunter2@db/x", ""} {
		_, err := config.Load(defaults(), config.Options{Environ: []string{"TRUNKLINE_STORE_DSN_FILE=" + value}})
		require.ErrorContains(t, err, `store.dsn = "[redacted]" (env TRUNKLINE_STORE_DSN_FILE): names a file that cannot be read`)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err := config.Load(defaults(), config.Options{Environ: []string{"TRUNKLINE_STORE_DSN_FILE=/no/such/file"}})
	require.ErrorContains(t, err, `store.dsn = "/no/such/file" (env TRUNKLINE_STORE_DSN_FILE): names a file that cannot be read (no such file or directory)`)
}
