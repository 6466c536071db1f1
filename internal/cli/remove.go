package cli

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pigsty/internal/view"
)

func newRemoveCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "remove", Short: "Take something off its nodes; data is set aside, not deleted"}
	cmd.AddCommand(a.verbCommands("remove")...)
	cmd.AddCommand(newRemoveNodeCommand(a))
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
