package cli

import "github.com/spf13/cobra"

// newRepoCommand is the parent of what is done with the local package repository.
func newRepoCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "repo",
		Short: "Build the local package repository, and carry it to where there is no network",
		Long: `The local package repository has every package that the nodes of the inventory need, with all that those
depend on, so that nodes need no other source. It lies on the infrastructure nodes, below nginx_home, and nodes
with node_repo_method local take their packages from it. apply builds it where nodes use it; here it is built by
itself, packed into one file and unpacked elsewhere.`,
	}
	cmd.AddCommand(newRepoBuildCommand(a), newRepoPackCommand(a), newRepoUnpackCommand(a), newRepoVerifyCommand(a), newRepoListCommand(a))
	return cmd
}
