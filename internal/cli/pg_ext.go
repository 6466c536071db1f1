package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/view"
)

func newPgExtCommand(a *app) *cobra.Command {
	var output, search string
	var all bool
	var release int
	list := &cobra.Command{
		Use:   "list [CLUSTER]",
		Short: "List extensions: Debian's catalogue, or what a cluster has of it",
		Long: `Without a cluster, list the extensions that Debian packages for its PostgreSQL: version, package, the
libraries that the server has to load for it as it starts, and who may create it: superuser; trusted,
which is who may create in the database; anybody. What is a library is loaded or called by its name,
and there is nothing to create.

With a cluster, say which members have it installed, whether the server has loaded it, and which
databases it is created in, where an update is to be had, and what is declared and not there. That
lists what is in use or installed besides the server's own; --all lists the whole catalogue.`,
		Example: `  pigsty pg ext list --search vector
  pigsty pg ext list --release 12
  pigsty pg ext list pg-test
  pigsty pg ext list pg-test --all -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := a.extensions(cmd, args, release)
			if err != nil {
				return err
			}
			report.Extensions = slices.DeleteFunc(report.Extensions, func(e controller.Extension) bool {
				return !matches(e, search) || len(args) > 0 && !all && search == "" && !inUse(e)
			})
			if output != "table" {
				return encode(a.out, output, report)
			}
			view.Extensions(a.out, report, view.Color(a.out))
			return nil
		},
	}
	outputFlag(list, &output, "table", "json", "yaml")
	list.Flags().StringVar(&search, "search", "", "only those with this `text` in name, package or summary")
	list.Flags().BoolVar(&all, "all", false, "of a cluster: also what it has not")
	list.Flags().IntVar(&release, "release", 13, "release of Debian, 12 or 13; a cluster has its own")
	cmd := &cobra.Command{
		Use: "ext", Short: "Extensions: what there is, install, create",
		Long: `Extensions of PostgreSQL: what Debian packages and what a cluster has of it; install one on all members;
create one in a database, in the right order: packages, the library that the server loads as it
starts, the restart that this takes, and the extension at last.`,
	}
	cmd.AddCommand(list)
	cmd.AddCommand(a.verbCommands("pg ext")...)
	return cmd
}

// extensions is the catalogue, or what a cluster has of it.
func (a *app) extensions(cmd *cobra.Command, args []string, release int) (*controller.Extensions, error) {
	if len(args) == 0 {
		if release != 12 && release != 13 {
			return nil, fmt.Errorf("Debian %d is not known: choose 12 or 13", release)
		}
		return controller.Catalogue(release), nil
	}
	site, dial, err := a.reach()
	if err != nil {
		return nil, err
	}
	return site.Extensions(cmd.Context(), args[0], dial)
}

// matches tells whether an extension has a text in what is said of it.
func matches(e controller.Extension, search string) bool {
	said := strings.Join(append([]string{e.Name, e.Summary}, e.Packages...), "\n")
	return strings.Contains(strings.ToLower(said), strings.ToLower(search))
}

// inUse tells whether a cluster has an extension besides what comes with every server.
func inUse(e controller.Extension) bool {
	own := e.Catalogued && len(e.Packages) == 0
	return len(e.Created) > 0 || len(e.Installed) > 0 && !own || e.Library && e.Loaded
}
