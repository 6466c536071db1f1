package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/module"
)

func newRemoveNodeCommand(a *app) *cobra.Command {
	var f verbFlags
	var how module.NodeRemoval
	cmd := &cobra.Command{
		Use:   "node ADDRESS",
		Short: "Take a node out of the deployment",
		Long: `Take a node's member out of etcd, where the others keep a majority, and set its data aside; then remove from the
node what is about the deployment: its lines in /etc/hosts and the crontab, the shell's and ssh's settings, the
authority's certificate, notes and agents. Accounts, packages, the clock and the kernel's settings stay, and so
does the way in by ssh; what is set aside stays until it expires.

A node that carries a PostgreSQL instance is refused: remove that first. So is a member of etcd while
dcs_safeguard is on, and the only one. Of a node that is gone for good, --skip-unreachable removes its member.

Exit code 0: done, or nothing to do. 2: with --plan, there is something to do. 1: refused or failed.`,
		Example: `  pigsty remove node 10.10.10.13 --plan
  pigsty remove node 10.10.10.12 -e dcs_safeguard=false --yes-destroy 10.10.10.12`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.destroys = args[0]
			f.next = "Take it out of the inventory, and out of dcs_servers where it is listed, and apply: the other nodes then\nforget it. An apply that still finds it listed sets it up again."
			return a.operateOn(cmd.Context(), "remove node", f, func(site *controller.Site, dial controller.Dialer) (*controller.Work, error) {
				return site.PrepareNodeRemoval(cmd.Context(), args[0], how, dial)
			})
		},
	}
	f.add(cmd, true)
	cmd.Flags().BoolVar(&how.Now, "now", false, "delete the data of its etcd member at once, which dcs_clean has to allow")
	cmd.Flags().BoolVar(&how.SkipUnreachable, "skip-unreachable", false, "it cannot be reached and is gone for good")
	return cmd
}
