package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pigsty/internal/module"
)

// operationFlags are what all commands share that do something to a running cluster.
type operationFlags struct {
	yes    bool
	plan   bool
	output string
}

func (f *operationFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&f.plan, "plan", false, "only say what would be done")
	flags.StringVarP(&f.output, "output", "o", "table", "table or json")
}

// operate says what the operation would do, asks, and carries it out. name is that of a cluster or of
// an instance in it.
func (a *app) operate(ctx context.Context, purpose, name string, f operationFlags, op module.Operation) error {
	if err := outputForm(f.output); err != nil {
		return err
	}
	dial, err := a.dialer()
	if err != nil {
		return err
	}
	site, err := a.openSite()
	if err != nil {
		return err
	}
	work, err := site.PrepareOperation(ctx, name, op, dial)
	if err != nil {
		return err
	}
	defer work.Close()
	if !f.plan {
		if err := work.Lock(ctx, "pigsty "+purpose, a.waiting(work)); err != nil {
			return err
		}
	}
	plan := work.Plan(ctx)
	do := applyFlags{requestFlags: requestFlags{json: f.output == "json"}, yes: f.yes}
	if f.plan || !do.json {
		if err := a.showPlan(plan, do.requestFlags); err != nil {
			return err
		}
	}
	if f.plan || plan.Failed() || plan.Changes() == 0 {
		return planExit(plan)
	}
	if err := a.confirm(do); err != nil {
		return err
	}
	return a.carryOut(ctx, work, do)
}

// outputForm refuses what is neither table nor json.
func outputForm(form string) error {
	if form != "table" && form != "json" {
		return fmt.Errorf("output %q is not known: choose table or json", form)
	}
	return nil
}
