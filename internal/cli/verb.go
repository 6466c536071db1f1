package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/module"
	"pigsty/internal/operation"
)

// verbFlags are what all verbs share.
type verbFlags struct {
	plan bool
	outputForm
	yes bool
	// destroys is what loses data by the verb; empty when nothing does. Its name has to be typed.
	destroys, named string
	next            string // what is left to do by hand
}

// verbCommands are the verbs of a parent command.
func (a *app) verbCommands(parent string) []*cobra.Command {
	var commands []*cobra.Command
	for _, v := range module.Verbs() {
		switch {
		case v.Parent != parent:
		case v.Name() == "config":
			commands = append(commands, a.configCommand(v))
		default:
			commands = append(commands, a.verbCommand(v))
		}
	}
	return commands
}

// verbCommand is a verb as a command: it says what it would do, asks, and does it.
func (a *app) verbCommand(v operation.Verb) *cobra.Command {
	var f verbFlags
	cmd := &cobra.Command{Use: v.Usage, Short: v.Short, Long: v.Long, Example: v.Example, Args: arguments(v.Usage)}
	compile := v.Prepare(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		steps, err := compile(args)
		if err != nil {
			return err
		}
		if v.Destroys {
			f.destroys = args[0]
		}
		f.next = v.Next
		return a.operate(cmd.Context(), v.Parent+" "+v.Name(), args[0], f, steps)
	}
	f.add(cmd, v.Destroys)
	return cmd
}

// add declares the flags; those of what destroys have no plain yes.
func (f *verbFlags) add(cmd *cobra.Command, destroys bool) {
	cmd.Flags().BoolVar(&f.plan, "plan", false, "only say what would be done")
	outputFlag(cmd, &f.form, "table", "json", "yaml")
	if destroys {
		cmd.Flags().StringVar(&f.named, "yes-destroy", "", "do not ask: the `name` once more")
	} else {
		cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	}
}

// arguments is how many words a usage line takes: those in brackets may be left out.
func arguments(usage string) cobra.PositionalArgs {
	words := strings.Fields(usage)[1:]
	needed := 0
	for needed < len(words) && !strings.HasPrefix(words[needed], "[") {
		needed++
	}
	if strings.Contains(usage, "...") {
		return cobra.MinimumNArgs(needed)
	}
	return cobra.RangeArgs(needed, len(words))
}

// operate says what the steps would do, asks, and carries them out. name is that of a cluster or
// of an instance in it.
func (a *app) operate(ctx context.Context, purpose, name string, f verbFlags, steps operation.Steps) error {
	return a.operateOn(ctx, purpose, f, func(site *controller.Site, dial controller.Dialer) (*controller.Work, error) {
		return site.PrepareOperation(ctx, name, steps, dial)
	})
}

// operateOn is operate for what has nodes of its own to connect to.
func (a *app) operateOn(ctx context.Context, purpose string, f verbFlags, prepare func(*controller.Site, controller.Dialer) (*controller.Work, error)) error {
	site, dial, err := a.reach()
	if err != nil {
		return err
	}
	work, err := prepare(site, dial)
	if err != nil {
		return err
	}
	defer work.Close()
	a.tellLost(work)
	if !f.plan {
		if err := work.Lock(ctx, "pigsty "+purpose, a.waiting(work)); err != nil {
			return err
		}
	}
	plan := work.Plan(ctx)
	do := applyFlags{requestFlags: requestFlags{outputForm: f.outputForm}, yes: f.yes}
	if f.plan || plan.Failed() || do.forPeople() {
		if err := a.showPlan(plan, do.requestFlags); err != nil {
			return err
		}
	}
	if f.plan || plan.Failed() || plan.Changes() == 0 {
		return planExit(plan)
	}
	if f.destroys != "" {
		err = a.nameTyped(f.destroys, f.named)
	} else {
		err = a.confirm(do)
	}
	if err != nil {
		return err
	}
	if err := a.carryOut(ctx, work, do); err != nil {
		return err
	}
	if f.next != "" && f.forPeople() {
		fmt.Fprintln(a.out, f.next)
	}
	return nil
}

// tellLost names the nodes that could not be reached and that nothing is to be done on, beside the
// answer: on the others, the plan tells of them.
func (a *app) tellLost(work *controller.Work) {
	nodes := work.Graph.Nodes()
	for _, node := range slices.Sorted(maps.Keys(work.Fleet.Lost)) {
		if !slices.Contains(nodes, node) {
			fmt.Fprintf(a.err, "%s is left out: %v\n", node, work.Fleet.Lost[node])
		}
	}
}
