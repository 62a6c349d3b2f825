package secrets

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"trunkline/services/platform/fault"
)

// The file is keyringMagic, a random nonce, and the entries as JSON under AES-256-GCM, with the magic as additional
// data. Nonces are 96 random bits: 2^32 writes with one key are safe.
const keyringMagic = "trunkline keyring 1\n"

// entry is one path.
type entry struct {
	Newest   int64     `json:"newest"`
	Updated  time.Time `json:"updated"`
	Versions []kept    `json:"versions"` // oldest first
}

// kept is one version. Value is clear text: an entry exists in memory and encrypted, nowhere else.
type kept struct {
	Number  int64     `json:"number"`
	Created time.Time `json:"created"`
	Value   string    `json:"value"`
}

// newAEAD fails for keys of another length only.
func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// readEntries returns no entries for a file that does not exist.
func readEntries(path string, aead cipher.AEAD) (map[string]entry, error) {
	entries := map[string]entry{}
	sealed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return entries, nil
	}
	if err != nil {
		return nil, keyringBroken(path, err)
	}
	var text []byte
	if len(sealed) < len(keyringMagic) || string(sealed[:len(keyringMagic)]) != keyringMagic {
		err = errors.New("it does not start as a keyring does")
	} else {
		text, err = aead.Open(nil, nil, sealed[len(keyringMagic):], []byte(keyringMagic))
	}
	if err == nil && json.Unmarshal(text, &entries) != nil {
		err = errors.New("its content has another form") // the cause could quote a value
	}
	if err != nil {
		return nil, fault.New(fault.FailedPrecondition, "KEYRING_UNREADABLE",
			"The keyring %s cannot be opened with its key: it is damaged, or the key is another one. It was left as it is. Bring back the file or the key.",
			path).Wrap(err)
	}
	return entries, nil
}

func writeEntries(path string, aead cipher.AEAD, entries map[string]entry) error {
	text, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	sealed := aead.Seal([]byte(keyringMagic), nil, text, []byte(keyringMagic)) //nolint:gosec // the AEAD draws the nonce
	return replaceFile(path, sealed)
}

// replaceFile leaves the former or the new content, whenever the machine stops. Only the holder of the keyring's lock
// may call it, so one name for the temporary file is enough, and one left over by a crash is overwritten.
func replaceFile(path string, content []byte) error {
	temporary := path + ".tmp"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a rename outlive a power cut.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func keyringBroken(path string, cause error) error {
	return fault.New(fault.FailedPrecondition, "KEYRING_UNREADABLE",
		"The keyring %s or its key cannot be read or made. Check the folder, its owner and its permissions.", path).
		Wrap(fmt.Errorf("keyring: %w", cause))
}
