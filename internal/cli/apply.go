package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/engine"
	"pigsty/internal/resource"
	"pigsty/internal/view"
)

type applyFlags struct {
	requestFlags
	yes bool
}

func newApplyCommand(a *app) *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "apply [PLAN]",
		Short: "Make the nodes what the inventory says",
		Long: `Plan, show the plan, ask, and carry it out: nodes in parallel, in the order that the
databases need. A second apply changes nothing. With a plan kept by plan -o, do exactly that,
or refuse when the nodes or the inventory have changed since.

Ctrl-C lets every node finish the step it is at, then stops; apply again goes on from there.

Exit code 0: done, or nothing to do. 1: something failed, or nothing was confirmed.`,
		Example: `  pigsty apply                     # show the plan, ask, do it
  pigsty apply -y -l pg-test       # one cluster, without asking
  pigsty plan -o change.plan && pigsty apply change.plan`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.applyFile(cmd.Context(), args[0], f)
			}
			return a.apply(cmd.Context(), f, nil)
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	return cmd
}

func (a *app) applyFile(ctx context.Context, path string, f applyFlags) error {
	kept, err := readPlanFile(path)
	if err != nil {
		return err
	}
	if err := a.adopt(kept, &f); err != nil {
		return err
	}
	return a.apply(ctx, f, kept)
}

// apply plans and carries out; with a kept plan, only when the new plan is the same.
func (a *app) apply(ctx context.Context, f applyFlags, kept *planFile) error {
	work, err := a.prepare(ctx, f.request)
	if err != nil {
		return err
	}
	defer work.Close()
	if err := work.Lock(ctx, "pigsty apply", a.waiting(work)); err != nil {
		return err
	}
	plan := work.Plan(ctx)
	if kept != nil {
		if err := a.checkKept(work, plan, kept); err != nil {
			return err
		}
	}
	if kept == nil && !f.json {
		if err := a.showPlan(plan, f.requestFlags); err != nil {
			return err
		}
	}
	if plan.Empty() {
		return a.finishEmpty(f)
	}
	if plan.Changes() == 0 {
		return planExit(plan)
	}
	if err := a.confirm(f); err != nil {
		return err
	}
	return a.carryOut(ctx, work, f)
}

// checkKept refuses a kept plan when something else would be done now.
func (a *app) checkKept(work *controller.Work, now *engine.Plan, kept *planFile) error {
	digest, err := work.Digest(now)
	if err != nil || digest == kept.Digest {
		return err
	}
	view.Plan(a.err, now, view.PlanOptions{Color: view.Color(a.err)})
	return errors.New("the nodes or the inventory have changed since the plan was made (above is what would be done now): make a new plan")
}

func (a *app) finishEmpty(f applyFlags) error {
	if !f.json {
		return nil
	}
	return json.NewEncoder(a.out).Encode(map[string]any{"done": true, "changes": 0})
}

// confirm asks on a terminal. Elsewhere nobody can answer, and a question would spoil JSON, so
// the word must come with the command.
func (a *app) confirm(f applyFlags) error {
	if f.yes {
		return nil
	}
	in, ok := a.in.(*os.File)
	if _, terminal := view.Terminal(a.out); !ok || !terminal || f.json {
		return errors.New("nothing was changed: say --yes to apply without being asked")
	}
	fmt.Fprint(a.out, "Apply? [y/N] ")
	answer, _ := bufio.NewReader(in).ReadString('\n')
	if !strings.EqualFold(strings.TrimSpace(answer), "y") {
		return errors.New("nothing was changed")
	}
	return nil
}

func (a *app) carryOut(ctx context.Context, work *controller.Work, f applyFlags) error {
	if f.json {
		return a.carryOutAs(ctx, work, "json")
	}
	return a.carryOutAs(ctx, work, "table")
}

// carryOutAs shows the run as it goes: for people, or each event as a line of JSON or a document of
// YAML.
func (a *app) carryOutAs(ctx context.Context, work *controller.Work, output string) error {
	journal, err := work.OpenJournal()
	if err != nil {
		return err
	}
	defer journal.Close()
	if output != "table" {
		return a.carryOutEncoded(ctx, work, journal, output)
	}
	run := view.NewRun(a.out, work.Names())
	work.Apply(ctx, func(e engine.Event) {
		journal.Write(e)
		run.Event(e)
	})
	if !run.Done() {
		return &exitError{code: exitFailed}
	}
	return nil
}

func (a *app) carryOutEncoded(ctx context.Context, work *controller.Work, journal *controller.Journal, output string) error {
	lines := json.NewEncoder(a.out)
	failed := false
	work.Apply(ctx, func(e engine.Event) {
		journal.Write(e)
		failed = failed || e.Status == resource.Failed || e.Status == resource.Skipped
		// Whoever reads may have gone; the run goes on.
		if output == "yaml" {
			fmt.Fprintln(a.out, "---")
			_ = encode(a.out, output, e)
		} else {
			_ = lines.Encode(e)
		}
	})
	if failed {
		return &exitError{code: exitFailed}
	}
	return nil
}
