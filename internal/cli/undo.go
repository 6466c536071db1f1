package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/view"
)

func newUndoCommand(a *app) *cobra.Command {
	var f verbFlags
	var u controller.Undoing
	cmd := &cobra.Command{
		Use:   "undo [NAME]",
		Short: "Bring back what was removed, or list what can be brought back",
		Long: `Without a name, list what the nodes keep of what was removed: under which name, where, how large, and until
when. With a name, bring it back as it was: a cluster or an instance with its data and its services, a database
with all that is in it, a user with its password and rights. The inventory has to list it again, where that is
said.

With --forget, delete at once what is kept under the name, which has to be typed.

Exit code 0: done, or listed. 2: with --plan, there is something to do. 1: refused or failed.`,
		Example: `  pigsty undo
  pigsty undo pg-test
  pigsty undo pg-test/shop --plan
  pigsty undo --forget pg-test-4 --yes-destroy pg-test-4`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listKept(cmd.Context(), f.form)
			}
			u.Name = args[0]
			if u.Forget {
				f.destroys = u.Name
			}
			return a.operateOn(cmd.Context(), "undo", f, func(site *controller.Site, dial controller.Dialer) (*controller.Work, error) {
				return site.PrepareUndo(cmd.Context(), u, dial)
			})
		},
	}
	f.add(cmd, false)
	flags := cmd.Flags()
	flags.BoolVar(&u.Forget, "forget", false, "delete what is kept, for good")
	flags.StringVar(&f.named, "yes-destroy", "", "with --forget, do not ask: the `name` once more")
	flags.Var(choice{&u.What, []string{"instance", "database", "user", "etcd"}}, "what", "which of two things of one name")
	flags.BoolVar(&u.SkipUnreachable, "skip-unreachable", false, "go on without nodes that cannot be reached")
	return cmd
}

// listKept shows what can be brought back.
func (a *app) listKept(ctx context.Context, output string) error {
	site, dial, err := a.reach()
	if err != nil {
		return err
	}
	things, lost := site.Kept(ctx, dial)
	for _, node := range slices.Sorted(maps.Keys(lost)) {
		fmt.Fprintf(a.err, "%s could not be asked: %v\n", node, lost[node])
	}
	if output == "table" {
		view.Kept(a.out, things)
	} else if err := encode(a.out, output, things); err != nil {
		return err
	}
	if len(lost) > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}
