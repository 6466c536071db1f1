package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/view"
)

func newRepoPackCommand(a *app) *cobra.Command {
	var f outputForm
	cmd := &cobra.Command{
		Use:   "pack [FILE]",
		Short: "Write the local package repository into one file",
		Long: `Read the repository from its host and write all of it into one file on this machine: a tar with a manifest that
says of every package its name, version, architecture, SHA256, size, origin and release. The manifest is signed,
and every package is checked against it while it is written. The same repository gives the same file.

The file does not depend on a minor release of Debian: it has the packages of the base system as well.

Exit code 0: written. 1: failed, and no file was written.`,
		Example: `  pigsty repo pack
  pigsty repo pack /media/stick/pigsty.tar`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			site, dial, err := a.reach()
			if err != nil {
				return err
			}
			file := "pigsty.tar"
			if len(args) == 1 {
				file = args[0]
			}
			packed, err := site.PackRepo(cmd.Context(), file, dial)
			if err != nil {
				return err
			}
			if f.forPeople() {
				view.Packed(a.out, packed)
				return nil
			}
			return encode(a.out, f.form, packed)
		},
	}
	outputFlag(cmd, &f.form, "table", "json", "yaml")
	return cmd
}
