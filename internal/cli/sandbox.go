package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"pigsty/internal/sandbox"
)

// sandboxOptions carries what the sandbox commands share.
type sandboxOptions struct {
	*app
	name string // --name: which sandbox
}

func newSandboxCommand(a *app) *cobra.Command {
	o := &sandboxOptions{app: a}
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Make real Debian nodes on this host, to try things on and to break",
		Long: `Make real Debian nodes on this host: systemd-nspawn containers that boot Debian
with systemd and sshd on a private bridge. They are reached over SSH like any
other machine. Needs root. Exit codes: 0 done, 1 failed; ssh and exec end with
the code of the command they ran.`,
		Example: `  pigsty sandbox up                       four nodes: meta 10.10.10.10, node-1 .11, node-2 .12, node-3 .13
  pigsty sandbox ssh node-1               a shell on one of them
  pigsty sandbox exec --all -- uptime     a command on all of them
  pigsty sandbox kill node-1              cut its power
  pigsty sandbox start node-1             switch it on again
  pigsty sandbox down                     remove everything`,
	}
	cmd.PersistentFlags().StringVarP(&o.name, "name", "n", "main", "which sandbox; several can run side by side")
	cmd.AddCommand(
		newSandboxUpCommand(o), newSandboxDownCommand(o), newSandboxStatusCommand(o),
		newSandboxSSHCommand(o), newSandboxExecCommand(o), newSandboxLogsCommand(o),
		newSandboxKillCommand(o), newSandboxStartCommand(o), newSandboxRebootCommand(o), newSandboxResetCommand(o),
		newSandboxPauseCommand(o), newSandboxResumeCommand(o), newSandboxCutCommand(o), newSandboxHealCommand(o),
		newSandboxSuperviseCommand(o),
	)
	return cmd
}

func (o *sandboxOptions) open() (*sandbox.Sandbox, error) { return sandbox.Open(o.name) }

func (o *sandboxOptions) progress(msg string) { fmt.Fprintln(o.err, msg) }

// completeNodes offers the names of the sandbox's nodes to the shell.
func (o *sandboxOptions) completeNodes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	s, err := o.open()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, n := range s.Nodes() {
		names = append(names, n.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
