package resource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"pigsty/internal/pki"
)

// Host is the node as resources see it: its file tree, systemd, packages and a way to run
// commands. One Host lives as long as the agent's connection and caches what it has read.
type Host struct {
	// Root is put before every path. Empty on a node; tests and simulated nodes use a folder.
	Root string
	// Systemd talks to the node's service manager.
	Systemd Systemd
	// Exec runs a command on the node.
	Exec Executor
	// Sign asks the controller's certificate authority to sign a request; the private key
	// stays on the node.
	Sign func(ctx context.Context, r pki.Request) (pem []byte, err error)
	// Call has the aides of the resource's step do their parts, all at once, and returns what
	// went wrong, by node. Nil where no controller is listening.
	Call func(ctx context.Context, r Resource, order any) (map[string]error, error)
	// SignRelease has the controller sign an index of the local package repository, as a text with its
	// signature and apart; the private key stays with the controller. Nil where none is listening.
	SignRelease func(ctx context.Context, r Resource, text string, at time.Time) (clear, detached string, err error)
	// ReadSupply reads a part of a file that the controller has for the resource's step, from an
	// offset on; nothing is the file's end. Nil where no controller is listening.
	ReadSupply func(ctx context.Context, r Resource, name string, offset int64) ([]byte, error)
	// Container is true where the kernel's settings belong to somebody else, and so cannot be
	// changed from here.
	Container bool
	// Dial opens a connection from the node; nil = the system's own.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	mu      sync.Mutex
	notes   []string
	notices map[string]Notice
	dpkg    *dpkgStatus
	kept    map[string]io.Closer
	// marked are the units that this run itself has asked to take notice; see Mark.
	marked map[string]bool
	// unitFiles are units' files and drop-ins that this run has written since systemd last read
	// its units.
	unitFiles []string
}

// Path is where a node's path lies in this process's file tree.
func (h *Host) Path(path string) string {
	if h.Root == "" {
		return path
	}
	return filepath.Join(h.Root, path)
}

// finisher is a service manager that puts off what can wait until the run ends.
type finisher interface {
	finish(ctx context.Context) error
}

// Finish does what was put off until the end of the run. Call it before the host is given up.
func (h *Host) Finish(ctx context.Context) error {
	if f, ok := h.Systemd.(finisher); ok {
		return f.finish(ctx)
	}
	return nil
}

// Note records something a person should know that is no failure, such as a setting that a
// container refuses. The run reports each note once.
func (h *Host) Note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if text := fmt.Sprintf(format, args...); !slices.Contains(h.notes, text) {
		h.notes = append(h.notes, text)
	}
}

// TakeNotes returns the notes recorded since the last call.
func (h *Host) TakeNotes() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	notes := h.notes
	h.notes = nil
	return notes
}

// CommandError is a command that ended badly: what was run, and what it said.
type CommandError struct {
	Argv   []string
	Output string // what it wrote to both streams, trimmed
	Err    error
}

func (e *CommandError) Error() string {
	if e.Output == "" {
		return fmt.Sprintf("%s: %v", e.Argv[0], e.Err)
	}
	return fmt.Sprintf("%s: %v: %s", e.Argv[0], e.Err, e.Output)
}

func (e *CommandError) Unwrap() error { return e.Err }

// Command is one command to run on the node, without a shell.
type Command struct {
	Argv  []string
	Stdin []byte
	Env   []string // added to the agent's own
	User  string   // run as this OS user; empty = root
}

// Executor runs commands on the node.
type Executor interface {
	// Run returns standard output; an error is a *CommandError that carries both streams.
	Run(ctx context.Context, c Command) ([]byte, error)
}

// run executes a command that says all it has to say by succeeding.
func (h *Host) run(ctx context.Context, argv ...string) error {
	_, err := h.Exec.Run(ctx, Command{Argv: argv})
	return err
}

// ErrAbsent is returned by lookups of things that are not on the node.
var ErrAbsent = errors.New("not there")
