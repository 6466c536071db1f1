package remote

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"strconv"
	"strings"
	"syscall"
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
	agentDir   string
}

func (l *launcher) agentPath() string { return path.Join(l.agentDir, "pigsty-"+l.binary.Hash()) }

// startScript becomes the agent, or says that there is none and what the node is.
func (l *launcher) startScript() string {
	return fmt.Sprintf(`if [ -x %[1]s ]; then printf %[2]q; exec %[1]s agent; else printf "%[3]s"; uname -m; fi`,
		l.agentPath(), markReady, markMissing)
}

// installScript puts what it reads under the agent's name, complete or not at all, also when
// several controllers do so at once or the power fails, and removes agents that have not been
// used for a month; what becomes of those is no matter.
func (l *launcher) installScript() string {
	return fmt.Sprintf(`set -e; mkdir -p %[1]s; t=%[2]s.$$; trap "rm -f $t" EXIT; gzip -dc >$t; chmod 755 $t; sync $t; mv $t %[2]s; find %[1]s -type f -atime +30 -delete 2>/dev/null || :`,
		l.agentDir, l.agentPath())
}

// asRoot prefixes a script, which holds no single quote, with sudo where the login is not root. sudo -n never asks.
func asRoot(script string) string {
	return `if [ "$(id -u)" = 0 ]; then exec sh -c '` + script + `'; else exec sudo -n sh -c '` + script + `'; fi`
}

// command runs a script on the target: through ssh, or here. It gets a session of its own: an
// interrupt from the terminal is for the controller, which ends runs in good order, and would
// cut every connection if it reached ssh.
func (l *launcher) command(script string) *exec.Cmd {
	cmd := exec.Command("sh", "-c", asRoot(script))
	if !l.target.Local {
		cmd = exec.Command("ssh", append(l.sshArgs(), asRoot(script))...)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.WaitDelay = waitDelay
	return cmd
}

func (l *launcher) sshArgs() []string {
	t := l.target
	args := []string{
		"-o", "BatchMode=yes",
		"-o", "ConnectTimeout=10",
		// A node that has died is seen in 20 to 25 seconds, also when a connection to it is kept.
		"-o", "ServerAliveInterval=5",
		"-o", "ServerAliveCountMax=4",
		"-o", "ControlMaster=auto",
		// Opening one takes most of a second where a login starts the user's own service manager.
		// Long enough to look at a plan, edit, and plan again.
		"-o", "ControlPersist=300s",
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

// start runs the agent and returns the stream to it, or errNoAgent. Cancelling ctx ends the
// attempt, not an agent that runs.
func (l *launcher) start(ctx context.Context) (*Stream, error) {
	cmd := l.command(l.startScript())
	stderr := &tail{}
	cmd.Stderr = stderr
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
	release := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	reader := bufio.NewReader(out)
	noise := &tail{}
	mark, readErr := findMark(reader, noise)
	// An agent that came up as the attempt was given up is ended like any other.
	if release() && mark == markReady {
		return &Stream{in: in, out: reader, cmd: cmd, stderr: stderr}, nil
	}
	in.Close()
	waitErr := cmd.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if machine, ok := strings.CutPrefix(mark, markMissing); ok {
		if err := l.binary.fits(strings.TrimSpace(machine)); err != nil {
			return nil, err
		}
		return nil, errNoAgent
	}
	return nil, l.unreachable(strings.TrimSpace(stderr.String()+" "+noise.String()), errors.Join(readErr, waitErr))
}

// findMark reads up to the launching script's mark. What a login's own scripts write before it
// is noise.
func findMark(r *bufio.Reader, noise *tail) (string, error) {
	for {
		line, err := r.ReadString('\n')
		if line == markReady || strings.HasPrefix(line, markMissing) {
			return line, nil
		}
		noise.keep(line)
		if err != nil {
			return "", err
		}
	}
}

// install puts the binary on the node.
func (l *launcher) install(ctx context.Context) error {
	packed, err := l.binary.packed()
	if err != nil {
		return err
	}
	cmd := l.command(l.installScript())
	cmd.Stdin = bytes.NewReader(packed)
	stderr := &tail{}
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		return l.unreachable("", err)
	}
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("put the agent into %s on %s: %w", l.agentDir, l.target.Host, errors.Join(ctx.Err(), said(stderr, err)))
	}
	return nil
}

// said is the error with what the program wrote, which tells more.
func said(stderr *tail, err error) error {
	if text := stderr.String(); text != "" {
		return fmt.Errorf("%s: %w", text, err)
	}
	return err
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
