package resource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// outputKept is how much of a failed command's output is kept, from its end.
const outputKept = 4096

// osExecutor runs commands with os/exec.
type osExecutor struct {
	host *Host // where users are looked up
}

// Run starts the command in a process group of its own, so that a cancelled run can end it with
// whatever it started; it is asked to stop first and killed ten seconds later.
func (e *osExecutor) Run(ctx context.Context, c Command) ([]byte, error) {
	attributes := &syscall.SysProcAttr{Setpgid: true}
	environment := append(os.Environ(), c.Env...)
	if c.User != "" && c.User != "root" {
		credential, variables, err := e.credential(c.User)
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", c.Argv[0], err)
		}
		attributes.Credential = credential
		environment = slices.Concat(os.Environ(), variables, c.Env)
	}
	var out bytes.Buffer
	all := &tail{}
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Dir = "/" // readable to every user, unlike where the agent was started
	cmd.Env = environment
	cmd.SysProcAttr = attributes
	cmd.Stdin = bytes.NewReader(c.Stdin)
	cmd.Stdout = io.MultiWriter(&out, all)
	cmd.Stderr = all
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return out.Bytes(), &CommandError{Argv: c.Argv, Output: all.String(), Err: explainExec(err)}
	}
	return out.Bytes(), nil
}

// explainExec says of a missing program just that.
func explainExec(err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("there is no such program on the node; its package is missing")
	}
	return err
}

// credential is what the system's login would give the user: numbers, every group, and the
// usual variables.
func (e *osExecutor) credential(name string) (*syscall.Credential, []string, error) {
	user, err := e.host.lookup("/etc/passwd", name)
	if err != nil {
		return nil, nil, err
	}
	uid, err := strconv.ParseUint(user.field(2), 10, 32)
	if err != nil {
		return nil, nil, err
	}
	gid, err := strconv.ParseUint(user.field(3), 10, 32)
	if err != nil {
		return nil, nil, err
	}
	groups, err := e.host.groupsOf(name)
	if err != nil {
		return nil, nil, err
	}
	credential := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	for _, g := range groups {
		number, err := strconv.ParseUint(g.field(2), 10, 32)
		if err != nil {
			return nil, nil, err
		}
		credential.Groups = append(credential.Groups, uint32(number))
	}
	return credential, []string{"USER=" + name, "LOGNAME=" + name, "HOME=" + user.field(5)}, nil
}

// tail keeps the end of what is written to it, by both streams of a command at once.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if cut := len(t.kept) - outputKept; cut > 0 {
		t.kept = append(t.kept[:0], t.kept[cut:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.kept))
}
