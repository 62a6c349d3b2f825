package secrets

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"trunkline/services/platform/config"
)

// Methods of AuthConfig.
const (
	AuthToken      = "token"
	AuthAppRole    = "approle"
	AuthKubernetes = "kubernetes"
)

// VaultConfig says where Vault is, how to log in and where in it the secrets are.
type VaultConfig struct {
	Address   string        `koanf:"address" doc:"Address of Vault, such as https://vault:8200; http for this machine only. Empty: Vault is not used."`
	CAFile    string        `koanf:"ca_file" doc:"PEM certificates that may sign Vault's certificate, read again on every connect. Empty uses those of the system."`
	Namespace string        `koanf:"namespace" doc:"Namespace, where Vault has them."`
	Mount     string        `koanf:"mount" doc:"Mount of the KV version 2 engine."`
	Base      string        `koanf:"base" doc:"Folder in the engine; every path is below it."`
	Field     string        `koanf:"field" doc:"Key that a value is stored under in its entry."`
	Auth      AuthConfig    `koanf:"auth" doc:"How to log in."`
	Timeout   time.Duration `koanf:"timeout" doc:"Longest time for one call."`
	RenewAt   float64       `koanf:"renew_at" doc:"Part of its life after which the token is renewed (0.1 to 0.9)."`
}

// AuthConfig says how to log in. Only the keys of the chosen method are used.
type AuthConfig struct {
	Method       string        `koanf:"method" doc:"token, approle or kubernetes."`
	Mount        string        `koanf:"mount" doc:"Mount of the log-in method. Empty uses its name."`
	Token        config.Secret `koanf:"token" doc:"Token of the method token. It is renewed while it can be; a new one needs a restart."`
	RoleID       string        `koanf:"role_id" doc:"Role id of the method approle."`
	SecretID     config.Secret `koanf:"secret_id" doc:"Secret id of the method approle."`
	SecretIDPath string        `koanf:"secret_id_path" doc:"File with the secret id, instead of secret_id; read again at every log-in."`
	Role         string        `koanf:"role" doc:"Role of the method kubernetes."`
	JWTPath      string        `koanf:"jwt_path" doc:"File with the service account's token for the method kubernetes; read again at every log-in."`
}

// DefaultVaultConfig returns settings that lack the address and the log-in.
func DefaultVaultConfig() VaultConfig {
	return VaultConfig{
		Mount: "secret",
		Base:  "ops",
		Field: "password",
		Auth: AuthConfig{
			Method:  AuthToken,
			JWTPath: "/var/run/secrets/kubernetes.io/serviceaccount/token",
		},
		Timeout: 2 * time.Second,
		RenewAt: 0.5,
	}
}

var fieldForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Validate returns every problem, each with what to do about it. Without an address there is none.
func (c VaultConfig) Validate() error {
	if c.Address == "" {
		return nil
	}
	var errs []error
	bad := func(key string, value any, fix string) { errs = append(errs, config.Invalid(key, value, fix)) }

	address, err := url.Parse(c.Address)
	switch {
	case err != nil || address.Host == "" || address.User != nil || strings.Trim(address.Path, "/") != "":
		// The value is not repeated: it may hold a password.
		bad("address", "", "write https://host:port, without user or path")
	case address.Scheme == "http" && !loopback(address.Hostname()):
		bad("address", c.Address, "use https: without it the secrets cross the network in the clear")
	case address.Scheme != "http" && address.Scheme != "https":
		bad("address", c.Address, "start it with https://")
	}
	for key, path := range map[string]string{"mount": c.Mount, "base": c.Base} {
		if !validPath(path) {
			bad(key, path, "write names of letters, digits, _, - and . joined by /, such as secret or team/secret")
		}
	}
	if !fieldForm.MatchString(c.Field) {
		bad("field", c.Field, "write 1 to 64 letters, digits, _ or -, such as password")
	}
	if c.Timeout <= 0 || c.Timeout > time.Minute {
		bad("timeout", c.Timeout, "set a duration above 0 up to 1m, such as 2s")
	}
	if c.RenewAt < 0.1 || c.RenewAt > 0.9 {
		bad("renew_at", c.RenewAt, "set a number from 0.1 to 0.9, such as 0.5")
	}
	return errors.Join(append(errs, c.Auth.problems()...)...)
}

// problems are those of the chosen method. It is no Validate method, so that their keys start at VaultConfig.
func (c AuthConfig) problems() (errs []error) {
	bad := func(key string, value any, fix string) { errs = append(errs, config.Invalid("auth."+key, value, fix)) }
	if c.Mount != "" && !validPath(c.Mount) {
		bad("mount", c.Mount, "write names of letters, digits, _, - and . joined by /, or nothing")
	}
	switch c.Method {
	case AuthToken:
		if c.Token.IsZero() {
			bad("token", "", "set a token, or choose approle or kubernetes as auth.method")
		}
	case AuthAppRole:
		if c.RoleID == "" {
			bad("role_id", "", "set the role id, which Vault shows at auth/approle/role/NAME/role-id")
		}
		if c.SecretID.IsZero() == (c.SecretIDPath == "") {
			bad("secret_id_path", c.SecretIDPath, "set either secret_id or secret_id_path")
		}
	case AuthKubernetes:
		if c.Role == "" {
			bad("role", "", "set the role, which Vault lists at auth/kubernetes/role")
		}
		if c.JWTPath == "" {
			bad("jwt_path", "", "name the file with the service account's token")
		}
	default:
		bad("method", c.Method, "set token, approle or kubernetes")
	}
	return errs
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
