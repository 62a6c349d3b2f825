package secrets

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"

	"github.com/hashicorp/vault/api"

	"trunkline/services/platform/config"
	"trunkline/services/platform/secret"
)

// Vault drops old versions by number: those that are max_versions or more behind the newest. Versions that were
// dropped count too, so a row of failed changes would push the version in force out. Put therefore sets max_versions
// to the distance from the oldest version that must stay, plus versionRoom, once less than versionRoom/2 is left.
const (
	keptVersions = 10
	versionRoom  = 50
)

// Vault keeps secrets in a KV version 2 engine of Vault. Create it with OpenVault. It is safe for concurrent use.
type Vault struct {
	cfg     VaultConfig
	observe Observer
	log     *slog.Logger
	http    *http.Client

	current   atomic.Pointer[session]
	loggingIn chan struct{} // held during a log-in: one is enough
	loggedIn  chan struct{} // tells Run about a new session
}

// OpenVault prepares the access to Vault and asks it nothing yet. Run Vault.Run in the background of a process that
// lives longer than a token, and Close it at the end.
func OpenVault(cfg VaultConfig, observe Observer, log *slog.Logger) (*Vault, error) {
	if cfg.Address == "" {
		return nil, config.Invalid("address", "", "name Vault, such as https://vault:8200")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	v := &Vault{
		cfg: cfg, observe: observe, log: log,
		http:      newHTTPClient(cfg),
		loggingIn: make(chan struct{}, 1),
		loggedIn:  make(chan struct{}, 1),
	}
	// The library refuses some settings of the environment; better now than at the first call.
	if _, err := v.client(""); err != nil {
		return nil, fmt.Errorf("prepare the client of Vault: %w", err)
	}
	return v, nil
}

// Close ends idle connections. Calls after it still work.
func (v *Vault) Close() { v.http.CloseIdleConnections() }

// Put stores value as the next version of path and returns its number.
func (v *Vault) Put(ctx context.Context, path string, value secret.Text) (version int64, err error) {
	defer v.observe.watch(OpPut)(&err)
	if err := checkPut(path, value); err != nil {
		return 0, err
	}
	if err := v.makeRoom(ctx, path); err != nil {
		return 0, err
	}
	var answer struct {
		Data struct {
			Version int64 `json:"version"`
		} `json:"data"`
	}
	body := map[string]any{"data": map[string]string{v.cfg.Field: value.Reveal()}}
	if err := v.call(ctx, request{http.MethodPut, v.at("data", path), nil, body}, &answer); err != nil {
		return 0, err
	}
	if answer.Data.Version < 1 {
		return 0, ErrDenied.Wrap(fmt.Errorf("%s/ is not a KV version 2 engine: a write gave no version", v.cfg.Mount))
	}
	return answer.Data.Version, nil
}

// makeRoom sees to it that the next version pushes out none that must stay; see versionRoom.
func (v *Vault) makeRoom(ctx context.Context, path string) error {
	m, _, err := v.metadata(ctx, path)
	if err != nil {
		return err
	}
	distance := int64(0)
	if live := m.live(); len(live) > 0 {
		distance = m.Current - live[max(0, len(live)-keptVersions)].Number
	}
	if m.MaxVersions > distance+versionRoom/2 {
		return nil
	}
	body := map[string]any{"max_versions": distance + versionRoom}
	return v.call(ctx, request{http.MethodPut, v.at("metadata", path), nil, body}, nil)
}

// Get returns one version of path.
func (v *Vault) Get(ctx context.Context, path string, version int64) (value secret.Text, err error) {
	defer v.observe.watch(OpGet)(&err)
	if err := checkPath(path); err != nil {
		return secret.Text{}, err
	}
	if version < 1 { // Vault takes 0 for the newest
		return secret.Text{}, ErrNotFound
	}
	var answer struct {
		Data struct {
			Data map[string]any `json:"data"`
		} `json:"data"`
	}
	query := url.Values{"version": {strconv.FormatInt(version, 10)}}
	err = v.call(ctx, request{http.MethodGet, v.at("data", path), query, nil}, &answer)
	if err != nil {
		return secret.Text{}, err
	}
	// An entry written by hand may have other fields.
	text, _ := answer.Data.Data[v.cfg.Field].(string)
	if text == "" {
		return secret.Text{}, ErrNotFound.Wrap(fmt.Errorf("version %d has no text in its field %s", version, v.cfg.Field))
	}
	return secret.New(text), nil
}

// Drop destroys one version of path for good. What is not there is dropped already.
func (v *Vault) Drop(ctx context.Context, path string, version int64) (err error) {
	defer v.observe.watch(OpDrop)(&err)
	if err := checkPath(path); err != nil {
		return err
	}
	if version < 1 {
		return nil
	}
	body := map[string]any{"versions": []int64{version}}
	return found(v.call(ctx, request{http.MethodPut, v.at("destroy", path), nil, body}, nil))
}

// Remove deletes path with all its versions for good. What is not there is removed already.
func (v *Vault) Remove(ctx context.Context, path string) (err error) {
	defer v.observe.watch(OpRemove)(&err)
	if err := checkPath(path); err != nil {
		return err
	}
	return found(v.call(ctx, request{http.MethodDelete, v.at("metadata", path), nil, nil}, nil))
}

// Check returns nil while secrets can be kept: Vault is reachable and unsealed, the token lives and may see the
// engine, and the engine is of the right version.
func (v *Vault) Check(ctx context.Context) (err error) {
	defer v.observe.watch(OpCheck)(&err)
	var answer struct {
		Data struct {
			Type    string            `json:"type"`
			Options map[string]string `json:"options"`
		} `json:"data"`
	}
	err = v.call(ctx, request{http.MethodGet, "sys/internal/ui/mounts/" + v.cfg.Mount, nil, nil}, &answer)
	if err != nil {
		return err
	}
	if answer.Data.Type != "kv" || answer.Data.Options["version"] != "2" {
		return ErrDenied.Wrap(fmt.Errorf("%s/ is not a KV version 2 engine", v.cfg.Mount))
	}
	return nil
}

// at returns where the engine keeps one kind of thing about path.
func (v *Vault) at(kind, path string) string {
	at := v.cfg.Mount + "/" + kind + "/" + v.cfg.Base
	if path != "" {
		at += "/" + path
	}
	return at
}

// client returns a client with a token. The library takes settings from the environment; only ours count.
func (v *Vault) client(token string) (*api.Client, error) {
	// MaxRetries stays 0: callers know how long they can wait, and a write is not repeated blindly.
	c, err := api.NewClient(&api.Config{Address: v.cfg.Address, HttpClient: v.http})
	if err != nil {
		return nil, err
	}
	c.SetHeaders(http.Header{api.RequestHeaderName: {"true"}})
	if v.cfg.Namespace != "" {
		c.SetNamespace(v.cfg.Namespace)
	}
	c.SetWrappingLookupFunc(func(string, string) string { return "" })
	c.SetToken(token)
	return c, nil
}
