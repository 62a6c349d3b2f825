package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/config"
)

type server struct {
	Addr        string        `koanf:"addr" doc:"Address to listen on, host:port."`
	ReadTimeout time.Duration `koanf:"read_timeout" doc:"Longest time to read a request."`
	MaxInFlight int           `koanf:"max_in_flight" doc:"Calls served at once | the rest wait."`
}

func (s server) Validate() error {
	var found []error
	if s.Addr == "" {
		found = append(found, config.Invalid("addr", s.Addr, "set host:port, such as :8080"))
	}
	if s.ReadTimeout <= 0 {
		found = append(found, config.Invalid("read_timeout", s.ReadTimeout, "set a duration above 0, such as 5s"))
	}
	return errors.Join(found...)
}

type store struct {
	DSN      config.Secret            `koanf:"dsn" doc:"Connection string."`
	Keys     map[string]config.Secret `koanf:"keys" doc:"Keys by id."`
	Replicas []string                 `koanf:"replicas" doc:"Hosts of replicas."`
	Labels   map[string]string        `koanf:"labels" doc:"Free labels."`
}

func (s *store) Validate() error {
	if s.DSN.Reveal() == "weak" {
		return config.Invalid("dsn", s.DSN.Reveal(), "choose a better one")
	}
	return nil
}

type settings struct {
	Name   string  `koanf:"name" doc:"Name of the process."`
	Debug  bool    `koanf:"debug" doc:"Extra checks."`
	Ratio  float64 `koanf:"ratio" doc:"Share from 0 to 1."`
	Small  uint8   `koanf:"small" doc:"A small number."`
	Server server  `koanf:"server"`
	Store  store   `koanf:"store"`

	Wired func() `koanf:"-"`
}

func (s settings) Validate() error {
	if s.Debug && s.Name == "production" {
		return errors.New("debug and the name production exclude each other; unset debug")
	}
	return nil
}

func defaults() settings {
	return settings{
		Name:   "dev",
		Server: server{Addr: ":8080", ReadTimeout: 5 * time.Second, MaxInFlight: 10},
		Store:  store{Replicas: []string{"a", "b"}},
	}
}

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func setting(t *testing.T, l *config.Loaded[settings], key string) config.Setting {
	t.Helper()
	for _, s := range l.Origins() {
		if s.Key == key {
			return s
		}
	}
	require.Fail(t, "no such setting", key)
	return config.Setting{}
}
