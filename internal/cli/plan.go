package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/engine"
	"pigsty/internal/view"
)

// requestFlags are what plan and apply share: which part of the site, how, and how to answer.
type requestFlags struct {
	request controller.Request
	outputForm
	diff bool
}

func (f *requestFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.request.Limit, "limit", "l", "", "only these hosts: names, addresses, groups, with `pattern`s as in Ansible (*, :&, :!)")
	flags.StringSliceVarP(&f.request.Modules, "module", "t", nil, "only these `modules`: node, etcd, pgsql")
	flags.BoolVar(&f.request.Switchover, "switchover", false, "where a primary has to restart, hand its role to a replica first")
	f.jsonFlag(cmd)
	flags.BoolVar(&f.diff, "diff", false, "show the content of new files, too")
}

func newPlanCommand(a *app) *cobra.Command {
	var f requestFlags
	var file string
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Say what apply would change, and what it costs users",
		Long: `Look at every node and say what apply would change there, and what each change costs the
people who use the databases. Nothing is changed.

Exit code 0: nothing to do. 2: changes are pending. 1: something could not be looked at.`,
		Example: `  pigsty plan                      # the whole site
  pigsty plan -l pg-test           # one cluster
  pigsty plan -l 'pg-*:!10.10.10.13' -t pgsql
  pigsty plan -o change.plan       # keep it, to apply exactly this later`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			work, err := a.prepare(cmd.Context(), f.request)
			if err != nil {
				return err
			}
			defer work.Close()
			plan := work.Plan(cmd.Context())
			if err := a.showPlan(plan, f); err != nil {
				return err
			}
			if file != "" {
				if err := a.writePlanFile(file, work, f.request, plan); err != nil {
					return err
				}
			}
			return planExit(plan)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVarP(&file, "output", "o", "", "keep the plan in a `file` for apply")
	return cmd
}

func (a *app) showPlan(p *engine.Plan, f requestFlags) error {
	if f.forPeople() {
		view.Plan(a.out, p, view.PlanOptions{Color: view.Color(a.out), Diff: f.diff})
		return nil
	}
	return encode(a.out, f.form, p)
}

func planExit(p *engine.Plan) error {
	switch {
	case p.Failed():
		return &exitError{code: exitFailed, err: incomplete(p.Unseen())}
	case p.Changes() > 0:
		return &exitError{code: exitPending}
	}
	return nil
}

// maxUnseen bounds what is repeated below a plan; where a whole network is away, the reasons are alike.
const maxUnseen = 5

// incomplete says at the end, where it is seen, what stands above among the changes.
func incomplete(unseen []string) error {
	text := "the plan is not complete; these could not be looked at:"
	for _, one := range unseen[:min(len(unseen), maxUnseen)] {
		text += "\n  " + strings.ReplaceAll(one, "\n", "\n    ")
	}
	if more := len(unseen) - maxUnseen; more > 0 {
		text += fmt.Sprintf("\n  and %d more", more)
	}
	return errors.New(text)
}
