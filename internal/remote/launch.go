package remote

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"strconv"
	"strings"
	"time"
)

// agentDir holds agents on a node, each under a name that carries its content's hash, so that
// controllers of different versions do not meet.
const agentDir = "/var/lib/pigsty/agent"

// Marks that the launching script writes before the agent takes over the stream. They are what
// tells "connected, but no agent here" from every way in which connecting can fail.
const (
	markReady   = "PIGSTY-AGENT-READY\n"
	markMissing = "PIGSTY-AGENT-MISSING "
)

// waitDelay bounds the wait for the error stream of an ssh that has ended: its background
// connection may hold that stream open for as long as it is kept for the next run.
const waitDelay = 2 * time.Second

type launcher struct {
	target     Target
	binary     *Binary
	controlDir string
}

func (l *launcher) agentPath() string { return path.Join(agentDir, "pigsty-"+l.binary.Hash()) }

// root prefixes a script with sudo where the login is not root. sudo -n never asks.
func asRoot(script string) string {
	return `if [ "$(id -u)" = 0 ]; then exec sh -c '` + script + `'; else exec sudo -n sh -c '` + script + `'; fi`
}

// command runs a script on the target: through ssh, or here.
func (l *launcher) command(script string) *exec.Cmd {
	if l.target.Local {
		return exec.Command("sh", "-c", asRoot(script))
	}
	return exec.Command("ssh", append(l.sshArgs(), asRoot(script))...)
}

func (l *launcher) sshArgs() []string {
	t := l.target
	args := []string{
		"-o", "BatchMode=yes",
		"-o", "ConnectTimeout=10",
		"-o", "ServerAliveInterval=15",
		"-o", "ControlMaster=auto",
		"-o", "ControlPersist=60s",
		"-o", "ControlPath=" + path.Join(l.controlDir, "%C"),
		"-T",
	}
	return append(append(args, plainArgs(t)...), t.Host)
}

// plainArgs are the options a person would type too.
func plainArgs(t Target) []string {
	var args []string
	if t.Port != 0 {
		args = append(args, "-p", strconv.Itoa(t.Port))
	}
	if t.User != "" {
		args = append(args, "-l", t.User)
	}
	if t.KeyFile != "" {
		args = append(args, "-i", t.KeyFile)
	}
	return append(args, splitArgs(t.CommonArgs)...)
}

// start runs the agent and returns the stream to it, or errNoAgent.
func (l *launcher) start() (*Stream, error) {
	agent := l.agentPath()
	cmd := l.command(fmt.Sprintf(`if [ -x %[1]s ]; then printf %[2]q; exec %[1]s agent; else printf "%[3]s"; uname -m; fi`, agent, markReady, markMissing))
	stderr := &tail{}
	cmd.Stderr = stderr
	cmd.WaitDelay = waitDelay
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, l.unreachable("", err)
	}
	reader := bufio.NewReader(out)
	line, readErr := reader.ReadString('\n')
	if line == markReady {
		return &Stream{Reader: reader, WriteCloser: in, cmd: cmd, stderr: stderr}, nil
	}
	in.Close()
	waitErr := cmd.Wait()
	if machine, ok := strings.CutPrefix(line, markMissing); ok {
		if err := l.binary.fits(strings.TrimSpace(machine)); err != nil {
			return nil, err
		}
		return nil, errNoAgent
	}
	return nil, l.unreachable(strings.TrimSpace(stderr.String()+" "+line), errors.Join(readErr, waitErr))
}

// install puts the binary on the node under its final name, complete or not at all, and removes
// agents that have not been used for a month.
func (l *launcher) install() error {
	packed, err := l.binary.packed()
	if err != nil {
		return err
	}
	script := fmt.Sprintf(`set -e; mkdir -p %[1]s; t=%[2]s.$$; trap "rm -f $t" EXIT; gzip -dc >$t; chmod 755 $t; mv $t %[2]s; find %[1]s -type f -atime +30 -delete`, agentDir, l.agentPath())
	cmd := l.command(script)
	cmd.Stdin = bytes.NewReader(packed)
	stderr := &tail{}
	cmd.Stderr = stderr
	if err := cmd.Run(); err != nil {
		return l.unreachable(stderr.String(), fmt.Errorf("install the agent: %w", err))
	}
	return nil
}

func (l *launcher) unreachable(said string, err error) error {
	e := &UnreachableError{Host: l.target.Host, Said: said, Reason: err, Try: "sudo -n true"}
	if !l.target.Local {
		e.Try = strings.Join(append(append([]string{"ssh"}, plainArgs(l.target)...), l.target.Host, "sudo -n true"), " ")
	}
	return e
}

// pack compresses lightly: over a local network the processor is the slower part.
func pack(w io.Writer, data []byte) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := z.Write(data); err != nil {
		return err
	}
	return z.Close()
}

// splitArgs splits options as a shell does with spaces and quotes, and nothing else.
func splitArgs(s string) []string {
	var args []string
	var word strings.Builder
	var quote rune
	inWord := false
	for _, r := range s {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, inWord = r, true
		case r == ' ' || r == '\t':
			if inWord {
				args = append(args, word.String())
				word.Reset()
			}
			inWord = false
		default:
			inWord = true
			word.WriteRune(r)
		}
	}
	if inWord {
		args = append(args, word.String())
	}
	return args
}
