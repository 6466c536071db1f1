// Command converge deploys conf/sandbox.yml on a sandbox of its own, and measures how long it
// takes to make, to change and to look at; Ansible then ensures the same on the same nodes. See
// bench/README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"pigsty/bench/machine"
	"pigsty/internal/agent"
	"pigsty/internal/resource"
	"pigsty/internal/sandbox"
)

// options say what to measure, and on what.
type options struct {
	name, subnet string
	rounds       int // of plans and changes
	ansible      int // of each kind of Ansible's runs; 0 leaves Ansible out
	calm         float64
	patience     time.Duration
	out          string
	keep         bool
}

func main() {
	// To compile with facts, this program reaches nodes as pigsty does, and so is its own agent.
	if len(os.Args) == 2 && os.Args[1] == "agent" {
		signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP, syscall.SIGINT)
		if err := agent.Serve(context.Background(), os.Stdin, os.Stdout, resource.NewHost()); err != nil {
			os.Exit(1)
		}
		return
	}
	var o options
	flag.StringVar(&o.name, "name", "t-bench", "name of the sandbox to make; one of that name is removed first")
	flag.StringVar(&o.subnet, "subnet", "10.10.76.0/24", "its network")
	flag.IntVar(&o.rounds, "n", 5, "how often to plan, and to change something")
	flag.IntVar(&o.ansible, "ansible", 3, "how often Ansible runs, with and without --check each; 0 leaves it out")
	flag.Float64Var(&o.calm, "calm", 0, "before each part wait until the load average is below this; 0 does not wait")
	flag.DurationVar(&o.patience, "patience", 10*time.Minute, "how long to wait for that at most")
	flag.StringVar(&o.out, "o", "bench/results/converge.md", "where to write the results")
	flag.BoolVar(&o.keep, "keep", false, "leave the sandbox and the working folder for a look at them")
	flag.Parse()
	signals := []os.Signal{syscall.SIGTERM}
	if !signal.Ignored(os.Interrupt) { // as it is in the background
		signals = append(signals, os.Interrupt)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	if err := run(ctx, o); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx) // which signal
		}
		fmt.Fprintln(os.Stderr, "converge:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	subnet, err := netip.ParsePrefix(o.subnet)
	if err != nil {
		return err
	}
	r := &results{options: o, start: machine.Now(), machine: machine.Describe(ctx)}
	if err := r.fromBareNodes(ctx, subnet); err != nil {
		return err
	}
	l, err := openLab(ctx, o.name, subnet, sandbox.LayerInstalled)
	if err != nil {
		return err
	}
	if !o.keep {
		defer func() { err = errors.Join(err, l.close()) }()
	}
	var failed error
	for _, part := range []struct {
		name string
		do   func(context.Context, *lab) error
	}{
		{"deployment", r.deploy},
		{"idle nodes", r.idle},
		{"nothing to change", r.nothing},
		{"user and database", r.changes},
		{"Ansible", r.ensure},
	} {
		if err := o.wait(ctx); err != nil {
			return err
		}
		r.loads = append(r.loads, part.name+" "+machine.Now().Load)
		if failed = part.do(ctx, l); failed != nil {
			break
		}
	}
	if r.again == nil {
		return failed // nothing that could be told
	}
	r.end = machine.Now()
	text := r.markdown()
	fmt.Print(text)
	return errors.Join(failed, os.MkdirAll(filepath.Dir(o.out), 0o755), os.WriteFile(o.out, []byte(text), 0o644))
}

// wait holds a part back while others keep the machine busy: everything here takes as long as
// the processors are shared with others.
func (o options) wait(ctx context.Context) error {
	for deadline := time.Now().Add(o.patience); o.calm > 0 && time.Now().Before(deadline); {
		var minute float64
		if _, err := fmt.Sscan(machine.Now().Load, &minute); err != nil || minute < o.calm {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Second):
		}
	}
	return ctx.Err()
}
