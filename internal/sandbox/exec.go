package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// RunError is a command that did not succeed on a node.
type RunError struct {
	Node   string
	Argv   []string
	Status int    // exit status; 255 when SSH itself failed
	Output string // what it wrote to standard error, or else to standard output
	Cause  error
}

// Error repeats the command in a form that can be pasted into a shell.
func (e *RunError) Error() string {
	text := fmt.Sprintf("on %s: %s: %v", e.Node, quoteArgv(e.Argv), e.Cause)
	if out := tail(e.Output, 15); out != "" {
		text += "\n" + out
	}
	return text
}

// Unwrap returns what stopped the command.
func (e *RunError) Unwrap() error { return e.Cause }

// Exec runs a command on a node over SSH and returns its standard output. node is a name, with
// root's account, or user@name. Arguments arrive as they are given: no shell takes them apart.
// stdin may be nil. A command that fails gives a *RunError. Commands on the same node share one
// connection.
func (s *Sandbox) Exec(ctx context.Context, node string, stdin io.Reader, argv ...string) (string, error) {
	cmd, err := s.Command(ctx, node, argv...)
	if err != nil {
		return "", err
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		e := &RunError{Node: node, Argv: argv, Status: -1, Output: stderr.String(), Cause: err}
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			e.Status = exit.ExitCode()
		}
		if ctx.Err() != nil {
			e.Cause = context.Cause(ctx)
		}
		if e.Output == "" {
			e.Output = stdout.String()
		}
		return stdout.String(), e
	}
	return stdout.String(), nil
}

// Command prepares what Exec does, for callers that want to set the streams themselves.
func (s *Sandbox) Command(ctx context.Context, node string, argv ...string) (*exec.Cmd, error) {
	name := node
	if _, after, ok := strings.Cut(node, "@"); ok {
		name = after
	}
	m, err := s.machine(name)
	if err != nil {
		return nil, err
	}
	args := []string{
		"-F", s.SSHConfigPath(), "-o", "ControlMaster=auto", "-o", "ControlPersist=60",
		"-o", "ControlPath=" + m.control() + ".%r", "-T", node, "--", quoteArgv(argv),
	}
	cmd := exec.CommandContext(ctx, "ssh", args...)
	cmd.WaitDelay = time.Second // the shared connection holds the streams as long as the node is silent
	return cmd, nil
}

// hangUp closes the shared connections to a node, which would hang after it was cut off.
func (m *machine) hangUp(ctx context.Context) {
	for _, user := range []string{"root", "debian"} {
		path := m.control() + "." + user
		if !exists(path) {
			continue
		}
		cmd := exec.CommandContext(ctx, "ssh", "-F", m.box.SSHConfigPath(), "-o", "ControlPath="+path, "-O", "exit", m.Name)
		if cmd.Run() != nil {
			_ = removeFile(path) // nobody listens there any more
		}
	}
}

func quoteArgv(argv []string) string {
	quoted := make([]string, len(argv))
	for i, a := range argv {
		quoted[i] = shellQuote(a)
	}
	return strings.Join(quoted, " ")
}

// shellQuote makes one word of a text for a POSIX shell.
func shellQuote(word string) string {
	plain := func(r rune) bool {
		return r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,@%+", r))
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
