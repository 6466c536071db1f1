package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"pigsty/internal/configure"
	"pigsty/internal/secret"
)

func newConfigureCommand(a *app) *cobra.Command {
	var o configure.Options
	var force bool
	cmd := &cobra.Command{
		Use:   "configure",
		Short: "Write a first inventory for this machine",
		Long: `Look at this machine and write an inventory for it: its address, a tuning profile that fits
its size, and new passwords. The file is readable by you alone. Nothing is asked; what cannot be
found out is an error that names the flag to use.`,
		Example: `  pigsty configure                 # ./pigsty.yml for this one machine
  pigsty configure --ip 192.0.2.10 -i site.yml
  pigsty configure --mode dcs3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := configure.Write(cmd.Context(), o, secret.NewPassword)
			if err != nil {
				return err
			}
			if err := writeNew(a.inventory, r.Text, force); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s: inventory %q for %s, %d CPUs, %.1f GiB of memory, profile %s\nnext: pigsty validate -i %s && pigsty apply -i %s\n",
				a.inventory, r.Mode, r.IP, r.Facts.CPUs, float64(r.Facts.Memory)/(1<<30), r.Profile, a.inventory, a.inventory)
			return nil
		},
	}
	cmd.Flags().StringVar(&o.IP, "ip", "", "this machine's `address`, when it has several")
	cmd.Flags().StringVar(&o.Mode, "mode", "", "ready inventory to start from (default single)")
	cmd.Flags().BoolVar(&force, "force", false, "replace an inventory that exists")
	return cmd
}

// writeNew writes a file that must not exist yet, unless force says otherwise.
func writeNew(path, text string, force bool) error {
	if _, err := os.Lstat(path); err == nil && !force {
		return fmt.Errorf("%s exists: choose another name with -i, or replace it with --force", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o600)
}
