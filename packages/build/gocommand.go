package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// goCommand is the go tool, told all that could change what it makes.
type goCommand struct {
	dir  string // of the module
	arch string // what is compiled for; empty = this machine's
	tags []string
}

// settled is what a user's settings must not change in a package. What needs C is refused.
func (g goCommand) settled() []string {
	cgo := "CGO_ENABLED=0"
	if slices.Contains(g.tags, "cgo") {
		cgo = "CGO_ENABLED=1"
	}
	return []string{
		"GOOS=linux", "GOARCH=" + cmp.Or(g.arch, runtime.GOARCH), "GOAMD64=v1", "GOARM64=v8.0",
		cgo, "CC=/bin/false", "CXX=/bin/false", "GOWORK=off", "GOEXPERIMENT=", "GODEBUG=",
	}
}

func (g goCommand) environment() []string {
	return slices.Concat(os.Environ(), g.settled(), []string{"GOFLAGS=" + parallelism(os.Getenv("GOFLAGS"))})
}

// parallelism is what of a user's GOFLAGS counts here: how much is compiled at once.
func parallelism(flags string) string {
	var out []string
	for _, flag := range strings.Fields(flags) {
		if strings.HasPrefix(flag, "-p=") {
			out = append(out, flag)
		}
	}
	return strings.Join(out, " ")
}

// output runs the go tool and gives its standard output; an error has the end of what it said.
func (g goCommand) output(ctx context.Context, args ...string) (string, error) {
	return runCommand(ctx, g.dir, g.environment(), append([]string{"go"}, args...)...)
}

func runCommand(ctx context.Context, dir string, env []string, argv ...string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(argv[:min(len(argv), 3)], " "), err, tail(said.String(), 8))
	}
	return out.String(), nil
}

// tail is the last lines of a text.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
