package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pigsty/internal/view"
)

func newRemoveCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "remove", Short: "Take something off its nodes; data is set aside, not deleted"}
	cmd.AddCommand(newRemoveInstanceCommand(a))
	return cmd
}

func newRemoveInstanceCommand(a *app) *cobra.Command {
	var f requestFlags
	var named string
	var planOnly bool
	cmd := &cobra.Command{
		Use:   "instance NAME",
		Short: "Take a replica out of its cluster",
		Long: `Stop and disable a replica's services and set its data directory aside, on the same disk under
its name with the time added. The primary is refused, and so is an instance that pg_safeguard
protects. Afterwards take the host out of the inventory and apply, so that services forget it.

Exit code 0: done. 2: with --plan, there is something to do. 1: refused or failed.`,
		Example: `  pigsty remove instance pg-test-4 --plan -e pg_safeguard=false
  pigsty remove instance pg-test-4 -e pg_safeguard=false --yes-destroy pg-test-4`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.removeInstance(cmd.Context(), args[0], named, planOnly, f)
		},
	}
	cmd.Flags().StringVar(&named, "yes-destroy", "", "do not ask: the `name` once more")
	cmd.Flags().BoolVar(&planOnly, "plan", false, "only say what would be done")
	cmd.Flags().BoolVar(&f.json, "json", false, "answer in JSON")
	return cmd
}

func (a *app) removeInstance(ctx context.Context, name, named string, planOnly bool, f requestFlags) error {
	site, err := a.openSite()
	if err != nil {
		return err
	}
	dial, err := a.dialer()
	if err != nil {
		return err
	}
	work, err := site.PrepareRemoval(ctx, name, dial)
	if err != nil {
		return err
	}
	defer work.Close()
	if err := work.Lock(ctx, "pigsty remove instance", a.waiting(work)); err != nil {
		return err
	}
	plan := work.Plan(ctx)
	if err := a.showPlan(plan, f); err != nil {
		return err
	}
	if planOnly || plan.Changes() == 0 {
		return planExit(plan)
	}
	if err := a.nameTyped(name, named); err != nil {
		return err
	}
	return a.carryOut(ctx, work, applyFlags{requestFlags: f})
}

// nameTyped lets pass only who types the name of what is to go.
func (a *app) nameTyped(name, named string) error {
	if named == "" {
		if _, terminal := view.Terminal(a.out); !terminal {
			return fmt.Errorf("nothing was changed: say --yes-destroy %s to remove it without being asked", name)
		}
		fmt.Fprintf(a.out, "Type the name to remove it: ")
		line, _ := bufio.NewReader(a.in).ReadString('\n')
		named = strings.TrimSpace(line)
	}
	if named != name {
		return fmt.Errorf("nothing was changed: %q was typed, and not %s", named, name)
	}
	return nil
}
