//go:build !unix

package secrets

import (
	"errors"
	"os"
)

// lockKeyring refuses systems without flock: two processes would overwrite each other's secrets.
func lockKeyring(path string) (*os.File, error) {
	return nil, keyringBroken(path, errors.New("this system cannot lock files; use Vault"))
}
