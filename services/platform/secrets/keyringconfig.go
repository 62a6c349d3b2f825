package secrets

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"

	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
)

const keyBytes = 32 // AES-256

// KeyringConfig says where the encrypted file is.
type KeyringConfig struct {
	File string        `koanf:"file" doc:"Encrypted file that keeps the secrets; only one process at a time may use it. Empty: it is not used."`
	Key  config.Secret `koanf:"key" doc:"Key of the file: 32 random bytes in base64, such as openssl rand -base64 32 prints. Empty: the key lies in a file of the same name with .key appended, made on first use."`
}

// Validate returns every problem, each with what to do about it.
func (c KeyringConfig) Validate() error {
	if c.Key.IsZero() {
		return nil
	}
	if _, err := decodeKey(c.Key.Reveal()); err != nil {
		return config.Invalid("key", "", "set 32 bytes in base64, such as openssl rand -base64 32 prints")
	}
	return nil
}

func decodeKey(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != keyBytes {
		return nil, errors.New("a key is 32 bytes in base64")
	}
	return key, nil
}

// loadKey returns the key of the keyring. It makes one only for a keyring that does not exist yet: a new key would
// open no old file.
func loadKey(cfg KeyringConfig) ([]byte, error) {
	if !cfg.Key.IsZero() {
		return decodeKey(cfg.Key.Reveal())
	}
	path := cfg.File + ".key"
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(cfg.File); err == nil {
			return nil, fault.New(fault.FailedPrecondition, "KEYRING_KEY_INVALID",
				"The keyring %s is there and its key %s is not. Bring the key back, or set it.", cfg.File, path)
		}
		return makeKey(path)
	case err != nil:
		return nil, keyringBroken(cfg.File, err)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fault.New(fault.FailedPrecondition, "KEYRING_KEY_INVALID",
			"Others may read the key %s of the keyring. Run chmod 600 on it.", path)
	}
	text, err := readCredential(path)
	if err != nil {
		return nil, keyringBroken(cfg.File, err)
	}
	key, err := decodeKey(text)
	if err != nil {
		return nil, fault.New(fault.FailedPrecondition, "KEYRING_KEY_INVALID",
			"The file %s holds no key: 32 bytes in base64. Bring the right one back.", path)
	}
	return key, nil
}

func makeKey(path string) ([]byte, error) {
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // never fails
	if err := replaceFile(path, []byte(base64.StdEncoding.EncodeToString(key)+"\n")); err != nil {
		return nil, keyringBroken(path, err)
	}
	return key, nil
}
