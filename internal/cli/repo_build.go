package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/controller"
)

func newRepoBuildCommand(a *app) *cobra.Command {
	var f verbFlags
	var b controller.RepoBuild
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build the local package repository, or bring it up to date",
		Long: `Collect what the nodes of the inventory need from the sources of repo_upstreams, in the newest versions, and make
a signed repository of it. What is there already is not fetched again, and versions that were there before stay,
so that nodes which have read the old index still find them; --prune drops them, and packages that nobody wants
any more. Clients see the old repository or the new one, nothing in between.

With --packages, add the packages of a folder on this machine.

Exit code 0: built, or nothing to do. 2: with --plan, there is something to do. 1: refused or failed.`,
		Example: `  pigsty repo build
  pigsty repo build --packages ./packages/build --plan
  pigsty repo build --prune -y`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.operateOn(cmd.Context(), "repo build", f, func(site *controller.Site, dial controller.Dialer) (*controller.Work, error) {
				return site.PrepareRepoBuild(cmd.Context(), b, dial)
			})
		},
	}
	f.add(cmd, false)
	cmd.Flags().StringVar(&b.Folder, "packages", "", "add the packages (*.deb) of this `folder`")
	cmd.Flags().BoolVar(&b.Prune, "prune", false, "drop older versions, and what is not wanted any more")
	return cmd
}
