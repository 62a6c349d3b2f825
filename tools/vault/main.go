// Command vault-test-server is a real Vault for tests: its core, the KV engine and the AppRole and Kubernetes log-ins,
// on plain HTTP over a folder. It is no part of the product and guards nothing: the root token is given by the caller,
// the unseal key lies in the folder.
//
// The first start in a folder initialises it; every start unseals it. It ends when its parent does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
	kubernetes "github.com/hashicorp/vault-plugin-auth-kubernetes"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/helper/namespace"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/file"
	"github.com/hashicorp/vault/vault"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	dir := flag.String("dir", "", "folder of the store; it is made if missing")
	token := flag.String("token", "root", "root token that the first start makes")
	flag.Parse()
	if err := run(*listen, *dir, *token); err != nil {
		fmt.Fprintln(os.Stderr, "vault-test-server:", err)
		os.Exit(1)
	}
}

func run(listen, dir, token string) error {
	if dir == "" {
		return errors.New("name a folder with -dir")
	}
	core, err := newCore(filepath.Join(dir, "store"))
	if err != nil {
		return err
	}
	if err := open(core, filepath.Join(dir, "unseal.key"), token); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	go endWithParent(os.Getppid())
	fmt.Printf("http://%s %s\n", listener.Addr(), token)
	server := &http.Server{
		Handler:           vaulthttp.Handler.Handler(&vault.HandlerProperties{Core: core}),
		ReadHeaderTimeout: time.Minute,
	}
	return server.Serve(listener)
}

func newCore(store string) (*vault.Core, error) {
	log := hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Warn})
	physical, err := file.NewFileBackend(map[string]string{"path": store}, log)
	if err != nil {
		return nil, err
	}
	return vault.NewCore(&vault.CoreConfig{
		Physical:     physical,
		Logger:       log,
		DisableMlock: true,
		LogicalBackends: map[string]logical.Factory{
			"kv": kv.Factory,
		},
		CredentialBackends: map[string]logical.Factory{
			"approle":    approle.Factory,
			"kubernetes": kubernetes.Factory,
		},
		BuiltinRegistry: builtin{},
	})
}

// builtin tells the core that it need not look for the back ends above on disk.
type builtin struct{}

func (builtin) Contains(name string, kind consts.PluginType) bool {
	return slices.Contains(builtin{}.Keys(kind), name)
}

func (builtin) Get(name string, kind consts.PluginType) (func() (any, error), bool) {
	return func() (any, error) { return nil, errors.New("linked in") }, builtin{}.Contains(name, kind)
}

func (builtin) Keys(kind consts.PluginType) []string {
	switch kind {
	case consts.PluginTypeCredential:
		return []string{"approle", "kubernetes"}
	case consts.PluginTypeSecrets:
		return []string{"kv"}
	}
	return nil
}

func (builtin) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, builtin{}.Contains(name, kind)
}

// open unseals the store with the key in keyFile. A folder without one is initialised first.
func open(core *vault.Core, keyFile, token string) error {
	ctx := namespace.RootContext(context.Background())
	key, err := os.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return initialise(ctx, core, keyFile, token)
	}
	if err != nil {
		return err
	}
	return unseal(core, key)
}

func initialise(ctx context.Context, core *vault.Core, keyFile, token string) error {
	made, err := core.Initialize(ctx, &vault.InitParams{
		BarrierConfig: &vault.SealConfig{SecretShares: 1, SecretThreshold: 1},
	})
	if err != nil {
		return err
	}
	key := made.SecretShares[0]
	if err := unseal(core, append([]byte(nil), key...)); err != nil { // Vault wipes what it is given
		return err
	}
	for path, data := range map[string]map[string]any{
		"auth/token/create": {"id": token, "policies": []string{"root"}, "no_parent": true},
		"sys/mounts/secret": {"type": "kv", "options": map[string]any{"version": "2"}},
	} {
		answer, err := core.HandleRequest(ctx, &logical.Request{
			Operation: logical.UpdateOperation, ClientToken: made.RootToken, Path: path, Data: data,
		})
		if err == nil && answer != nil {
			err = answer.Error()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return os.WriteFile(keyFile, key, 0o600)
}

func unseal(core *vault.Core, key []byte) error {
	open, err := core.Unseal(key)
	if err == nil && !open {
		err = errors.New("the key does not unseal the store")
	}
	return err
}

// endWithParent exits when the parent is gone, so that a test that was killed leaves no server behind.
func endWithParent(parent int) {
	for os.Getppid() == parent {
		time.Sleep(200 * time.Millisecond)
	}
	os.Exit(0)
}
