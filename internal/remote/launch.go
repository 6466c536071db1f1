package remote

import (
	"bufio"
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
	markNotRoot = "PIGSTY-NOT-ROOT "
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
	return fmt.Sprintf(`set -e; printf %[3]q; mkdir -p %[1]s; t=%[2]s.$$; trap "rm -f $t" EXIT; gzip -dc >$t; chmod 755 $t; sync $t; mv $t %[2]s; find %[1]s -type f -atime +30 -delete 2>/dev/null || :`,
		l.agentDir, l.agentPath(), markReady)
}

// asRoot prefixes a script, which holds no single quote, with sudo where the login is not root.
// sudo -n never asks; where there is a password, it is asked for by a prompt that prompter knows.
func (l *launcher) asRoot(script string) string {
	otherwise := `exec sudo -n sh -c '` + script + `'`
	switch {
	case l.target.NoSudo:
		otherwise = `printf "` + markNotRoot + `"; id -un`
	case l.target.SudoPassword != "":
		otherwise = `exec sudo -S -p ` + sudoPrompt + ` sh -c '` + script + `'`
	}
	if l.target.User != "" && l.target.User != "root" && !l.target.NoSudo {
		return otherwise // sudo does no harm to a root of another name, and a question would cost a process
	}
	return `if [ "$(id -u)" = 0 ]; then exec sh -c '` + script + `'; else ` + otherwise + `; fi`
}

// command runs a script on the target: through ssh, or here. It gets a session of its own: an
// interrupt from the terminal is for the controller, which ends runs in good order, and would
// cut every connection if it reached ssh.
func (l *launcher) command(script string) *exec.Cmd {
	cmd := exec.Command("sh", "-c", l.asRoot(script))
	if !l.target.Local {
		cmd = exec.Command("ssh", append(l.sshArgs(), l.asRoot(script))...)
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

// process is a script on the target that has come as far as its first mark, or ended without.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *prompter
	mark   string
	noise  tail  // what came before the mark
	err    error // why there is no mark
}

// run starts a script as root and waits for its mark. Cancelling ctx until then ends it.
func (l *launcher) run(ctx context.Context, script string) (*process, error) {
	p := &process{cmd: l.command(script)}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	p.stderr = &prompter{password: l.target.SudoPassword, answer: in}
	p.cmd.Stderr = p.stderr
	if err := p.cmd.Start(); err != nil {
		return nil, l.unreachable("", err)
	}
	release := context.AfterFunc(ctx, func() { _ = p.cmd.Process.Kill() })
	p.mark, p.err = findMark(p.out, &p.noise)
	if !release() {
		// What came up as the attempt was given up is ended like any other.
		_ = p.end()
		return nil, ctx.Err()
	}
	return p, nil
}

// end closes the script's input and waits for it.
func (p *process) end() error {
	p.in.Close()
	return p.cmd.Wait()
}

// start runs the agent and returns the stream to it, or errNoAgent. Cancelling ctx ends the
// attempt, not an agent that runs.
func (l *launcher) start(ctx context.Context) (*Stream, error) {
	p, err := l.run(ctx, l.startScript())
	if err != nil {
		return nil, err
	}
	if p.mark == markReady {
		return &Stream{in: p.in, out: p.out, cmd: p.cmd, stderr: p.stderr}, nil
	}
	waitErr := p.end()
	if machine, ok := strings.CutPrefix(p.mark, markMissing); ok {
		if err := l.binary.fits(strings.TrimSpace(machine)); err != nil {
			return nil, err
		}
		return nil, errNoAgent
	}
	if user, ok := strings.CutPrefix(p.mark, markNotRoot); ok {
		return nil, fmt.Errorf("the login on %s is %s, which is not root, and ansible_become is false: log in as root (ansible_user), or let sudo be used",
			l.target.Host, strings.TrimSpace(user))
	}
	said := strings.TrimSpace(p.stderr.String() + " " + p.noise.String())
	if p.stderr.refused() {
		said = "sudo does not accept ansible_become_password: " + said
	}
	return nil, l.unreachable(said, errors.Join(p.err, waitErr))
}

// findMark reads up to the launching script's mark. What a login's own scripts write before it
// is noise.
func findMark(r *bufio.Reader, noise *tail) (string, error) {
	for {
		line, err := r.ReadString('\n')
		if line == markReady || strings.HasPrefix(line, markMissing) || strings.HasPrefix(line, markNotRoot) {
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
	p, err := l.run(ctx, l.installScript())
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = p.cmd.Process.Kill() })()
	// That the script took no more is not told: it says itself why it ended.
	_, _ = p.in.Write(packed)
	err = p.end()
	if sshGaveUp(err) && !l.target.Local && ctx.Err() == nil {
		return l.unreachable(p.stderr.String(), err)
	}
	if err != nil {
		return fmt.Errorf("put the agent into %s on %s: %w", l.agentDir, l.target.Host, errors.Join(ctx.Err(), said(p.stderr, err)))
	}
	return nil
}

// said is the error with what the program wrote, which tells more.
func said(stderr fmt.Stringer, err error) error {
	if text := stderr.String(); text != "" {
		return fmt.Errorf("%s: %w", text, err)
	}
	return err
}

func (l *launcher) unreachable(said string, err error) error {
	try := "sudo -n true"
	if l.target.SudoPassword != "" {
		try = "sudo -S true"
	}
	e := &UnreachableError{Host: l.target.Host, Said: said, Reason: err, Try: try}
	if !l.target.Local {
		e.Try = strings.Join(append(append([]string{"ssh"}, plainArgs(l.target)...), l.target.Host, try), " ")
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
