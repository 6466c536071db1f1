package cli

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pigsty/internal/module"
	"pigsty/internal/view"
)

func newRemoveCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "remove", Short: "Take something off its nodes; data is set aside, not deleted"}
	cmd.AddCommand(newRemoveInstanceCommand(a))
	return cmd
}

func newRemoveInstanceCommand(a *app) *cobra.Command {
	var f operationFlags
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
			f.destroys = args[0]
			return a.operate(cmd.Context(), "remove instance", args[0], f, module.RemoveInstance(args[0]))
		},
	}
	f.addDestroying(cmd)
	return cmd
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
