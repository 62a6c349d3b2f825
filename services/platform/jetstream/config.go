package jetstream

import (
	"errors"
	"net/url"
	"time"

	"trunkline/services/platform/config"
)

// Config says how to reach NATS.
type Config struct {
	URLs            []string      `koanf:"urls" doc:"Addresses of the NATS servers, such as nats://nats-1:4222. One is enough to find the others of a cluster."`
	CredsFile       string        `koanf:"creds_file" doc:"File with the user JWT and seed (.creds). Read again on every connect."`
	Username        string        `koanf:"username" doc:"User name, when the servers use passwords."`
	Password        config.Secret `koanf:"password" doc:"Password of username."`
	TLS             TLSConfig     `koanf:"tls" doc:"Server check and client certificate."`
	ConnectTimeout  time.Duration `koanf:"connect_timeout" doc:"Longest time for one attempt to reach one server."`
	PingInterval    time.Duration `koanf:"ping_interval" doc:"Time between checks of an idle connection. A server that misses two is left."`
	PublishTimeout  time.Duration `koanf:"publish_timeout" doc:"Longest time for a stream to acknowledge a message."`
	DrainTimeout    time.Duration `koanf:"drain_timeout" doc:"Time that handlers get to finish when the process stops."`
	MaxMessageBytes int           `koanf:"max_message_bytes" doc:"Largest message that is sent or handled, in bytes (1 to 1048576)."`
}

// TLSConfig names PEM files. They are read again on every connect, so renewed
// certificates need no restart.
type TLSConfig struct {
	CAFile   string `koanf:"ca_file" doc:"PEM certificates that may sign the server's certificate. Empty uses those of the system."`
	CertFile string `koanf:"cert_file" doc:"PEM client certificate chain."`
	KeyFile  string `koanf:"key_file" doc:"PEM private key of cert_file."`
}

// maxMessageBytes is what NATS servers accept unless configured otherwise.
const maxMessageBytes = 1 << 20

// DefaultConfig returns the settings for one NATS server on this machine.
func DefaultConfig() Config {
	return Config{
		URLs:            []string{"nats://127.0.0.1:4222"},
		ConnectTimeout:  2 * time.Second,
		PingInterval:    2 * time.Second,
		PublishTimeout:  2 * time.Second,
		DrainTimeout:    10 * time.Second,
		MaxMessageBytes: 256 << 10,
	}
}

// Validate returns every problem, each with what to do about it.
func (c Config) Validate() error {
	var errs []error
	if len(c.URLs) == 0 {
		errs = append(errs, config.Invalid("urls", "", "name at least one server, such as nats://127.0.0.1:4222"))
	}
	for _, u := range c.URLs {
		parsed, err := url.Parse(u)
		switch {
		case err != nil || parsed.Host == "":
			// The value is not repeated: it may hold a password.
			errs = append(errs, config.Invalid("urls", "", "write every address as nats://host:port or tls://host:port"))
		case parsed.User != nil:
			errs = append(errs, config.Invalid("urls", "", "move user and password out of the address into username and password"))
		}
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		errs = append(errs, config.Invalid("tls.cert_file", c.TLS.CertFile, "set tls.cert_file and tls.key_file, or neither"))
	}
	if c.CredsFile != "" && c.Username != "" {
		errs = append(errs, config.Invalid("creds_file", c.CredsFile, "set either creds_file or username, not both"))
	}
	if c.Username == "" && !c.Password.IsZero() {
		errs = append(errs, config.Invalid("username", "", "set the user that the password belongs to"))
	}
	for key, d := range map[string]time.Duration{
		"connect_timeout": c.ConnectTimeout,
		"ping_interval":   c.PingInterval,
		"publish_timeout": c.PublishTimeout,
		"drain_timeout":   c.DrainTimeout,
	} {
		if d <= 0 {
			errs = append(errs, config.Invalid(key, d, "set a duration above 0, such as 2s"))
		}
	}
	if c.MaxMessageBytes < 1 || c.MaxMessageBytes > maxMessageBytes {
		errs = append(errs, config.Invalid("max_message_bytes", c.MaxMessageBytes, "set a size from 1 to 1048576"))
	}
	return errors.Join(errs...)
}
