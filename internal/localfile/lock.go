package localfile

import (
	"fmt"
	"os"
	"syscall"
)

// Lock waits until no other process, nor another Lock in this one, holds the lock file, and
// holds it until unlock is called or the process ends. The file stays: removing it would let
// two holders in.
func Lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		// A signal, which Go's scheduler sends often, interrupts the wait.
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}
