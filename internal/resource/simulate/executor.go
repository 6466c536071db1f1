package simulate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"pigsty/internal/resource"
)

// Executor imitates the commands that resource kinds run, by editing the node's files, and
// refuses any other.
type Executor struct {
	// Fail, where set, is asked before each command; its error becomes the command's.
	Fail func(argv []string) error
	// Unknown are packages that no repository has.
	Unknown []string

	node   node
	broken error // why the node could not be furnished

	mu    sync.Mutex
	calls [][]string
}

var _ resource.Executor = (*Executor)(nil)

// commands are the programs a simulated node has.
var commands = map[string]func(*Executor, []string) error{
	"apt-get":  (*Executor).aptGet,
	"dpkg":     (*Executor).dpkg,
	"groupadd": (*Executor).groupadd,
	"useradd":  (*Executor).useradd,
	"usermod":  (*Executor).usermod,
	"modprobe": (*Executor).modprobe,
	"swapoff":  (*Executor).swapoff,
	"ip":       (*Executor).ip,

	"amtool":   (*Executor).reads,
	"chronyd":  (*Executor).reads,
	"haproxy":  (*Executor).reads,
	"loki":     (*Executor).reads,
	"promtail": (*Executor).reads,
	"promtool": (*Executor).reads,
	"ssh":      (*Executor).reads,
	"visudo":   (*Executor).reads,

	"update-grub": (*Executor).updateGrub,
}

// Calls returns the commands that were run, in order.
func (e *Executor) Calls() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	lines := make([]string, len(e.calls))
	for i, argv := range e.calls {
		lines[i] = strings.Join(argv, " ")
	}
	return lines
}

// Run carries the command out on the node's files. Of the commands of a simulated node only apt-cache
// writes to its standard output.
func (e *Executor) Run(_ context.Context, c resource.Command) ([]byte, error) {
	e.mu.Lock()
	e.calls = append(e.calls, slices.Clone(c.Argv))
	e.mu.Unlock()
	if c.Argv[0] == "apt-cache" && e.broken == nil {
		return e.policy(c.Argv[1:])
	}
	if err := e.carryOut(c.Argv); err != nil {
		if said, ok := errors.AsType[*resource.CommandError](err); ok {
			return nil, said
		}
		return nil, &resource.CommandError{Argv: c.Argv, Err: err}
	}
	return nil, nil
}

func (e *Executor) carryOut(argv []string) error {
	if e.broken != nil {
		return e.broken
	}
	if e.Fail != nil {
		if err := e.Fail(argv); err != nil {
			return err
		}
	}
	command, ok := commands[argv[0]]
	if !ok {
		return fmt.Errorf("simulated nodes do not have this command (arguments %q)", argv[1:])
	}
	return command(e, argv[1:])
}

// reads is a program asked to check a file (resource.FileCheck): it finds nothing wrong in one
// that is there.
func (e *Executor) reads(args []string) error {
	for _, arg := range args {
		if info, err := os.Stat(arg); err == nil && info.Mode().IsRegular() {
			return nil
		}
	}
	return fmt.Errorf("no file is among the arguments %q", args)
}

// join puts each text on a line of its own.
func join(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// options splits arguments into words and options. Those named in valued take the argument
// after them.
func options(args []string, valued ...string) (words []string, given map[string]string) {
	given = map[string]string{}
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case !strings.HasPrefix(arg, "-"):
			words = append(words, arg)
		case slices.Contains(valued, arg) && i+1 < len(args):
			i++
			given[arg] = args[i]
		default:
			given[arg] = ""
		}
	}
	return words, given
}
