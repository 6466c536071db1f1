// Package cli holds the commands: one file each, flags in, a view out, no logic of their own.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"pigsty/internal/controller"
)

// Exit codes of every command; docs/commands repeats them.
const (
	exitOK      = 0
	exitFailed  = 1
	exitPending = 2
)

// app carries what every command shares: the streams and the flags of the root command.
type app struct {
	in        io.Reader
	out, err  io.Writer
	inventory string   // -i: path of the inventory, default ./pigsty.yml
	extra     []string // -e name=value, strongest level of precedence

	dial controller.Dialer // how nodes are reached; nil = over ssh
}

// exitError makes a command end with a code other than 1; nothing is printed when err is nil.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// Main runs one command line and returns the process's exit code. The first interrupt cancels
// the command's context so that it can stop cleanly; a second one ends the process at once.
func Main(args []string, in io.Reader, out, errw io.Writer) int {
	collectLate()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop()
	}()
	return (&app{in: in, out: out, err: errw}).run(ctx, args)
}

// lateGC lets the heap grow to 64 MiB before it is collected for the first time: Go begins at
// 4 MiB × percent / 100. Most commands, and most agents, are done by then, and collecting was a
// third of their work.
const lateGC = 1600

// collectLate puts the first garbage collection off; from then on all is as usual.
func collectLate() {
	if os.Getenv("GOGC") != "" {
		return // somebody knows better
	}
	usual := debug.SetGCPercent(lateGC)
	runtime.AddCleanup(new([16]byte), func(percent int) { debug.SetGCPercent(percent) }, usual)
}

// collectAsUsual ends that for a command that stays: it would hold so much memory for good.
func collectAsUsual() { debug.FreeOSMemory() }

// run runs one command line and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := newRootCommand(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var exit *exitError
	if errors.As(err, &exit) {
		if exit.err != nil {
			fmt.Fprintln(a.err, "pigsty:", exit.err)
		}
		return exit.code
	}
	fmt.Fprintln(a.err, "pigsty:", err)
	return exitFailed
}

func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "pigsty",
		Short:         "Turn bare Linux machines into a PostgreSQL platform",
		Version:       versionString(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.PersistentFlags().StringVarP(&a.inventory, "inventory", "i", "pigsty.yml", "inventory `file`")
	root.PersistentFlags().StringArrayVarP(&a.extra, "extra", "e", nil, "set a parameter, `name=value`, over every other level")
	root.AddCommand(
		newConfigureCommand(a), newValidateCommand(a), newPlanCommand(a), newApplyCommand(a), newStatusCommand(a), newConnectCommand(a), newPgCommand(a), newRemoveCommand(a), newUndoCommand(a), newDrillCommand(a), newRepoCommand(a),
		newInventoryCommand(a), newParamCommand(a), newSandboxCommand(a), newExporterCommand(a), newAgentCommand(a), newExpireCommand(a), newDocsCommand(),
	)
	return root
}
