// Package remote reaches nodes: it opens a byte stream to an agent over the system's own ssh,
// or on this machine, and puts the agent's binary there when it is missing. What is said over
// the stream is not its business.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Target is how to reach a node; the fields mean what Ansible's connection variables mean.
type Target struct {
	Host       string // name or address to connect to (ansible_host, else the inventory's key)
	Port       int    // 0 = what ~/.ssh/config or ssh itself says
	User       string // empty = what ssh says
	KeyFile    string // empty = what ssh says
	CommonArgs string // more options for ssh, split at spaces and quotes
	Local      bool   // this machine: no ssh
	// NoSudo wants a login that is root already; otherwise one that is not becomes root by sudo.
	NoSudo bool
	// SudoPassword is given to sudo when it asks; empty has sudo fail instead of asking.
	SudoPassword string
}

// Stream is an open connection to an agent.
type Stream struct {
	in     io.WriteCloser
	out    io.Reader
	cmd    *exec.Cmd
	stderr fmt.Stringer

	once sync.Once
	end  error // how ssh, or the local agent, ended
}

// Write sends to the agent.
func (s *Stream) Write(p []byte) (int, error) { return s.in.Write(p) }

// Read takes what the agent sends. When the stream ends although nobody closed it, the error is
// what ssh or the agent had to say.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.out.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	s.finish()
	if text := s.stderr.String(); text != "" {
		return n, fmt.Errorf("the connection ended: %s", text)
	}
	return n, err
}

// Close ends the connection and waits for ssh, or the local agent, to end.
func (s *Stream) Close() error {
	s.finish()
	return s.end
}

// Leave tells the agent to end and does not wait for it: that takes as long as sudo and ssh take
// to close their own sessions. Read finds the end and clears up, if anybody still reads.
func (s *Stream) Leave() error { return s.in.Close() }

func (s *Stream) finish() {
	s.once.Do(func() { s.end = errors.Join(s.in.Close(), s.cmd.Wait()) })
}

// UnreachableError is a node that could not be spoken to, with the command that shows why.
type UnreachableError struct {
	Host   string
	Said   string // what ssh, sudo or the shell wrote
	Try    string // command for a person to try
	Reason error
}

func (e *UnreachableError) Error() string {
	said := e.Said
	if said == "" {
		said = e.Reason.Error()
	}
	return fmt.Sprintf("cannot reach %s: %s; try: %s", e.Host, said, e.Try)
}

func (e *UnreachableError) Unwrap() error { return e.Reason }

// brokeOff reports whether it was ssh that gave up, and not because the login was refused: servers
// count those.
func (e *UnreachableError) brokeOff() bool {
	return sshGaveUp(e.Reason) && !strings.Contains(e.Said, "Permission denied")
}

var errNoAgent = errors.New("the agent is not there yet")

// Dial connects to the target's agent, installing binary there first when it is missing.
// Cancelling ctx ends the attempt, not the stream.
func Dial(ctx context.Context, t Target, binary *Binary, controlDir string) (*Stream, error) {
	l := launcher{target: t, binary: binary, controlDir: controlDir, agentDir: agentDir}
	return l.dial(ctx)
}

// atOnce is how soon an attempt must have failed to be made again. It is shorter than the three
// seconds in which the kernel gives up a node that is off (net.ipv4.neigh.*.mcast_solicit), so that
// nobody waits for such a node twice.
const atOnce = 2 * time.Second

// dial makes a connection that broke off anew, once. A node that has been restarted leaves a kept
// connection behind that is dead without anybody knowing: the ssh that ends it may take away the
// socket of the one that has just replaced it, and sshd itself may be starting again.
func (l *launcher) dial(ctx context.Context) (*Stream, error) {
	began := time.Now()
	s, err := l.open(ctx)
	if broken, ok := errors.AsType[*UnreachableError](err); ok && broken.brokeOff() && time.Since(began) < atOnce {
		return l.open(ctx)
	}
	return s, err
}

func (l *launcher) open(ctx context.Context) (*Stream, error) {
	s, err := l.start(ctx)
	if !errors.Is(err, errNoAgent) {
		return s, err
	}
	if err := l.install(ctx); err != nil {
		return nil, err
	}
	return l.start(ctx)
}

// tail keeps the last bytes written to it, for error messages.
type tail struct{ data []byte }

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.keep(string(p))
	return len(p), nil
}

func (t *tail) keep(text string) {
	t.data = append(t.data, text...)
	if over := len(t.data) - tailSize; over > 0 {
		t.data = t.data[over:]
	}
}

// String is what was written, on one line.
func (t *tail) String() string {
	lines := strings.FieldsFunc(string(t.data), func(r rune) bool { return r == '\n' || r == '\r' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "; ")
}
