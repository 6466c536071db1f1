package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// run executes a command of the host and returns its standard output. The error repeats the
// command and the end of what it said.
func run(ctx context.Context, argv ...string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) } // apt puts its house in order
	cmd.WaitDelay = 10 * time.Second
	out, err := output(cmd)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out, err
}

// runSealed executes a command with process numbers of its own and /proc mounted at proc. All it
// starts ends with it, and it ends with us, even when we are killed. To be used from within
// withPrivateMounts: the thread it is started from must outlive it.
func runSealed(ctx context.Context, proc string, argv ...string) error {
	seal := []string{"--pid", "--mount", "--fork", "--kill-child", "--mount-proc=" + proc}
	cmd := exec.CommandContext(ctx, "unshare", append(seal, argv...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	_, err := output(cmd)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

func output(cmd *exec.Cmd) (string, error) {
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var out bytes.Buffer
	var all transcript
	cmd.Stdout = io.MultiWriter(&out, &all)
	cmd.Stderr = &all
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, tail(all.String(), 15))
	}
	return out.String(), nil
}

// transcript is what a command says on both of its streams, which are copied side by side.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// String is for when the command has ended.
func (t *transcript) String() string { return t.text.String() }

// tail returns the last lines of a text, blank ones left out.
func tail(text string, lines int) string {
	var kept []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, " \r\n"); line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept[max(0, len(kept)-lines):], "\n")
}

// tailFile returns the last lines of a file, or why it cannot be read.
func tailFile(path string, lines int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return tail(string(text), lines)
}
