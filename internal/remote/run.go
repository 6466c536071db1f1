package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
)

// Program is what a person runs on a node, as a user of the node.
type Program struct {
	User string   // who runs it
	Argv []string // arrives as it is; no shell reads it
	// Terminal gives the program a terminal of its own on the node, for which standard input must be
	// one here.
	Terminal bool
}

// Streams are where a program reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// sshFailed is the exit code by which ssh says that it could not connect; it has said why.
const sshFailed = 255

// sshGaveUp tells whether the error is that of an ssh that could not connect, or lost its connection.
func sshGaveUp(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && exit.ExitCode() == sshFailed
}

// Run runs a program on the target and waits for it. The error is an *exec.ExitError when the
// program ended with a code other than 0, and an *UnreachableError when it was never run. Cancelling
// ctx ends a program without a terminal; on a terminal Ctrl-C is the program's own.
//
// Where sudo wants a password, the target's is given to it by its input, and never by an argument.
// On a terminal sudo asks the person, as its input is the terminal.
func Run(ctx context.Context, t Target, controlDir string, p Program, s Streams) error {
	l := launcher{target: t, controlDir: controlDir}
	if p.Terminal {
		ctx = context.WithoutCancel(ctx)
		interrupts := make(chan os.Signal, 1)
		signal.Notify(interrupts, os.Interrupt)
		defer signal.Stop(interrupts)
	}
	cmd := l.program(ctx, p)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Out, s.Err
	if t.SudoPassword != "" && !t.NoSudo && !p.Terminal {
		cmd.Stdin = io.MultiReader(strings.NewReader(t.SudoPassword+"\n"), s.In)
	}
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() != sshFailed && exit.ExitCode() >= 0 {
		return err
	}
	if err != nil && ctx.Err() == nil {
		return l.unreachable("", err)
	}
	return errors.Join(ctx.Err(), err)
}

func (l *launcher) program(ctx context.Context, p Program) *exec.Cmd {
	text := l.rootFor(p)
	cmd := exec.CommandContext(ctx, "sh", "-c", text)
	if !l.target.Local {
		args := l.sshArgs()
		if p.Terminal {
			args[slices.Index(args, "-T")] = "-t"
		}
		cmd = exec.CommandContext(ctx, "ssh", append(args, text)...)
	}
	cmd.WaitDelay = waitDelay
	return cmd
}

// rootFor becomes root and from there the program's user: who may log in and become root need not
// be allowed to become anybody else. The environment is that user's own, with a character set.
func (l *launcher) rootFor(p Program) string {
	words := make([]string, len(p.Argv))
	for i, word := range p.Argv {
		words[i] = quote(word)
	}
	user := quote(p.User)
	script := quote(fmt.Sprintf(
		`cd / && exec setpriv --reuid=%[1]s --regid="$(id -g %[1]s)" --init-groups --reset-env -- env LANG=C.UTF-8 sh -c 'cd; exec "$@"' sh %[2]s`,
		user, strings.Join(words, " ")))
	otherwise := "exec sudo -n sh -c " + script
	read := ""
	switch {
	case l.target.NoSudo:
		otherwise = `echo "The login on $(hostname) is $(id -un), which is not root, and ansible_become is false: log in as root (ansible_user), or let sudo be used." >&2; exit 1`
	case l.target.SudoPassword != "" && p.Terminal:
		otherwise = "exec sudo sh -c " + script
	case l.target.SudoPassword != "":
		// The first line of the input is the password, asked for or not. A shell reads no further
		// than the line's end, as sudo does.
		read = "read -r _; "
		otherwise = "if sudo -n true 2>/dev/null; then " + read + otherwise + "; else exec sudo -S -p '' sh -c " + script + "; fi"
	}
	return `if [ "$(id -u)" = 0 ]; then ` + read + "exec sh -c " + script + "; else " + otherwise + "; fi"
}

// quote makes a text one word of a shell's.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
