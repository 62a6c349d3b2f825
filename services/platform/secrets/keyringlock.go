//go:build unix

package secrets

import (
	"errors"
	"os"
	"syscall"

	"trunkline/services/platform/fault"
)

// lockKeyring makes this process the only one that uses the keyring, until the file returned is closed. The kernel
// takes the lock away from a process that ends. The file stays: removing it would let two processes lock two files.
func lockKeyring(path string) (*os.File, error) {
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, keyringBroken(path, err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return lock, nil
	}
	_ = lock.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fault.New(fault.FailedPrecondition, "KEYRING_IN_USE",
			"Another process uses the keyring %s. Stop it, or name another file.", path)
	}
	return nil, keyringBroken(path, err)
}
