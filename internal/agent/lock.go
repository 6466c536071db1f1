package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"pigsty/internal/resource"
)

// lockFile is held while a run changes the node, so that two never mix.
const lockFile = "/run/pigsty/apply.lock"

// Holder says who is applying to a node, for the one who has to wait.
type Holder struct {
	User    string    `json:"user"`
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
	Purpose string    `json:"purpose"` // the command line, without values
	// Left is set when the run has lost its controller: the agent finishes the step it is at,
	// and then the lock is free.
	Left bool `json:"left,omitempty"`
}

func (h Holder) String() string {
	return fmt.Sprintf("%s@%s (process %d, %s, since %s)", h.User, h.Host, h.PID, h.Purpose, h.Since.Format(time.DateTime))
}

// runLock is an advisory lock that the kernel drops with the process, however it ends.
type runLock struct {
	file *os.File
	me   Holder
}

const (
	// lockPause is the time between two looks at a lock that is about to be free.
	lockPause = 100 * time.Millisecond
	// lockGrace is how long an agent may take to see that its controller has gone.
	lockGrace = time.Second
	// lockPatience is how long a wait may take before it is told of.
	lockPatience = 2 * time.Second
)

// takeLock takes the node's lock for the rest of the connection, or returns who has it. One whose
// controller has gone is waited for: a run that was killed can be started again at once. A wait
// that is not over soon is told of, as an event of the question with the given number.
func (s *server) takeLock(id uint64, me Holder) (*Holder, error) {
	if s.lock != nil {
		return nil, nil
	}
	f, err := openLock(s.host)
	if err != nil {
		return nil, err
	}
	other, err := lockFor(f, me)
	asked, told := time.Now(), false
	for err == nil && other != nil && s.stopped.Err() == nil && (other.Left || time.Since(asked) < lockGrace) {
		select {
		case <-s.stopped.Done():
		case <-time.After(lockPause):
			other, err = lockFor(f, me)
		}
		if other != nil && !told && time.Since(asked) >= lockPatience {
			told = true
			err = errors.Join(err, s.stream.send(id, opEvent, other, nil))
		}
	}
	if other != nil || err != nil {
		return other, errors.Join(err, f.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lock = &runLock{f, me}
	if s.gone {
		s.lock.leave()
	}
	return nil, nil
}

// openLock opens the file that a run locks.
func openLock(h *resource.Host) (*os.File, error) {
	path := h.Path(lockFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
}

// lockFor locks the file and writes into it who has it now, or reads who has it.
func lockFor(f *os.File, me Holder) (*Holder, error) {
	switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return readHolder(f), nil
	case err != nil:
		return nil, fmt.Errorf("lock %s: %w", lockFile, err)
	}
	return nil, writeHolder(f, me)
}

func writeHolder(f *os.File, h Holder) error {
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	// In this order nobody reads an empty file.
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(data)))
}

// readHolder reads who holds the lock; one that is just being written counts as unknown.
func readHolder(f *os.File) *Holder {
	h := Holder{User: "somebody", Host: "unknown", Purpose: "just started"}
	if data, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<16)); err == nil && len(data) > 0 {
		_ = json.Unmarshal(data, &h)
	}
	return &h
}

// leave says that the lock will be free as soon as the step at hand is done.
func (l *runLock) leave() {
	if l != nil {
		l.me.Left = true
		_ = writeHolder(l.file, l.me) // the next run is told to wait for us instead
	}
}

func (l *runLock) release() {
	if l != nil {
		l.file.Close()
	}
}
