package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pigsty/internal/aptrepo"
	"pigsty/internal/controller"
)

func newRepoUnpackCommand(a *app) *cobra.Command {
	var f verbFlags
	var signer string
	cmd := &cobra.Command{
		Use:   "unpack FILE",
		Short: "Add a bundle to the local package repository",
		Long: `Read a bundle that repo pack has made, from its beginning to its end, and add its packages to the repository.
A bundle that is damaged anywhere is refused before any node is reached. The repository is signed with this
deployment's own key, whoever has signed the bundle; --signed-by refuses a bundle of anybody else.

Exit code 0: unpacked, or nothing to do. 2: with --plan, there is something to do. 1: refused or failed.`,
		Example: `  pigsty repo unpack pigsty.tar
  pigsty repo unpack pigsty.tar --signed-by 0D2C9F1B5C6E7A8990112233445566778899AABB -y`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			bundle, err := aptrepo.OpenBundle(args[0])
			if err != nil {
				return err
			}
			if made := bundle.Key.Fingerprint(); signer != "" && !strings.EqualFold(strings.ReplaceAll(signer, " ", ""), made) {
				return fmt.Errorf("%s was signed by %s, and not by %s; nothing was changed", args[0], made, signer)
			}
			return a.operateOn(cmd.Context(), "repo unpack", f, func(site *controller.Site, dial controller.Dialer) (*controller.Work, error) {
				return site.PrepareRepoUnpack(cmd.Context(), bundle, dial)
			})
		},
	}
	f.add(cmd, false)
	cmd.Flags().StringVar(&signer, "signed-by", "", "`fingerprint` of the key that must have signed the bundle")
	return cmd
}
