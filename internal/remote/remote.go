// Package remote reaches nodes: it opens a byte stream to an agent over the system's own ssh,
// or on this machine, and puts the agent's binary there when it is missing. What is said over
// the stream is not its business.
package remote

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Target is how to reach a node; the fields mean what Ansible's connection variables mean.
type Target struct {
	Host       string // name or address to connect to (ansible_host, else the inventory's key)
	Port       int    // 0 = what ~/.ssh/config or ssh itself says
	User       string // empty = what ssh says
	KeyFile    string // empty = what ssh says
	CommonArgs string // more options for ssh, split at spaces and quotes
	Local      bool   // this machine: no ssh
}

// Stream is an open connection to an agent.
type Stream struct {
	io.Reader
	io.WriteCloser
	cmd    *exec.Cmd
	stderr *tail
}

// Close ends the connection and waits for ssh, or the local agent, to end.
func (s *Stream) Close() error {
	err := s.WriteCloser.Close()
	if waitErr := s.cmd.Wait(); err == nil {
		err = waitErr
	}
	return err
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

var errNoAgent = errors.New("the agent is not there yet")

// Dial connects to the target's agent, installing binary there first when it is missing.
func Dial(t Target, binary *Binary, controlDir string) (*Stream, error) {
	launcher := launcher{target: t, binary: binary, controlDir: controlDir}
	s, err := launcher.start()
	if !errors.Is(err, errNoAgent) {
		return s, err
	}
	if err := launcher.install(); err != nil {
		return nil, err
	}
	return launcher.start()
}

// tail keeps the last bytes written to it, for error messages.
type tail struct{ data []byte }

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if over := len(t.data) - tailSize; over > 0 {
		t.data = t.data[over:]
	}
	return len(p), nil
}

// String is what was written, on one line.
func (t *tail) String() string {
	lines := strings.FieldsFunc(string(t.data), func(r rune) bool { return r == '\n' || r == '\r' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "; ")
}
