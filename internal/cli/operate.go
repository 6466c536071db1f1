package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/module"
)

// operationFlags are what all commands share that do something to a running cluster.
type operationFlags struct {
	plan   bool
	output string
	yes    bool
	// destroys is what loses data by the operation; empty when nothing does. Its name has to be
	// typed.
	destroys, named string
}

func (f *operationFlags) add(cmd *cobra.Command) {
	f.addForms(cmd)
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
}

// addDestroying is add for an operation that costs data.
func (f *operationFlags) addDestroying(cmd *cobra.Command) {
	f.addForms(cmd)
	cmd.Flags().StringVar(&f.named, "yes-destroy", "", "do not ask: the `name` once more")
}

func (f *operationFlags) addForms(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.plan, "plan", false, "only say what would be done")
	cmd.Flags().StringVarP(&f.output, "output", "o", "table", "table or json")
}

// operate says what the operation would do, asks, and carries it out. name is that of a cluster or
// of an instance in it.
func (a *app) operate(ctx context.Context, purpose, name string, f operationFlags, op module.Operation) error {
	return a.operateOn(ctx, purpose, f, func(site *controller.Site, dial controller.Dialer) (*controller.Work, error) {
		return site.PrepareOperation(ctx, name, op, dial)
	})
}

// operateOn is operate for an operation that has nodes of its own to connect to.
func (a *app) operateOn(ctx context.Context, purpose string, f operationFlags, prepare func(*controller.Site, controller.Dialer) (*controller.Work, error)) error {
	if f.output != "table" && f.output != "json" {
		return fmt.Errorf("output %q is not known: choose table or json", f.output)
	}
	site, dial, err := a.reach()
	if err != nil {
		return err
	}
	work, err := prepare(site, dial)
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
	if f.plan || plan.Failed() || !do.json {
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
	return a.carryOut(ctx, work, do)
}
