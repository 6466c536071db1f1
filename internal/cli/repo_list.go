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

func newRepoListCommand(a *app) *cobra.Command {
	var f outputForm
	cmd := &cobra.Command{
		Use:   "list [PACKAGE...]",
		Short: "List what the local package repository holds",
		Long: `List the packages of the repository: name, version, architecture, size, releases, origin, and whether a newer
version has taken its place. With names, only packages of these names; * stands for any text.

Exit code 0: listed. 1: a host of the repository could not be asked, or there is no repository.`,
		Example: `  pigsty repo list
  pigsty repo list 'postgresql-17*'
  pigsty repo list -o json | jq -r '.[].manifest.packages[] | select(.origin == "own") | .name'`,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.repoStates(cmd.Context(), false, f, func(states []controller.RepoState) error {
				return view.RepoPackages(a.out, states, names)
			})
		},
	}
	outputFlag(cmd, &f.form, "table", "json", "yaml")
	return cmd
}

func newRepoVerifyCommand(a *app) *cobra.Command {
	var f outputForm
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Make sure that the local package repository is whole",
		Long: `Read every file of the repository and compare it with the manifest; have apt check the signatures; and install, in
an empty folder on the host and from the repository alone, what each node of the inventory wants. It changes
nothing.

Exit code 0: whole. 2: something is wrong, and said. 1: a host of the repository could not be asked, or there is none.`,
		Example: `  pigsty repo verify
  pigsty repo verify -o json | jq '.[].problems'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sound := true
			err := a.repoStates(cmd.Context(), true, f, func(states []controller.RepoState) error {
				view.RepoVerified(a.out, states)
				return nil
			}, func(s controller.RepoState) { sound = sound && len(s.Problems) == 0 })
			if err == nil && !sound {
				return &exitError{code: exitPending}
			}
			return err
		},
	}
	outputFlag(cmd, &f.form, "table", "json", "yaml")
	return cmd
}

// repoStates asks the hosts of the repository and shows what they say.
func (a *app) repoStates(ctx context.Context, verify bool, f outputForm, show func([]controller.RepoState) error, each ...func(controller.RepoState)) error {
	site, dial, err := a.reach()
	if err != nil {
		return err
	}
	states, lost, err := site.RepoStates(ctx, verify, dial)
	if err != nil {
		return err
	}
	for _, node := range slices.Sorted(maps.Keys(lost)) {
		fmt.Fprintf(a.err, "%s could not be asked: %v\n", node, lost[node])
	}
	empty := len(states) == 0
	for _, s := range states {
		if s.Manifest == nil {
			fmt.Fprintf(a.err, "%s has no package repository: build it with pigsty repo build\n", s.Node)
			empty = true
		}
		for _, tell := range each {
			tell(s)
		}
	}
	if f.forPeople() {
		err = show(states)
	} else {
		err = encode(a.out, f.form, states)
	}
	if err == nil && (len(lost) > 0 || empty) {
		return &exitError{code: exitFailed}
	}
	return err
}
