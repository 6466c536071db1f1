package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pigsty/internal/operation"
)

// configCommand is the verb that changes a cluster's configuration, which shows it when no key is
// named.
func (a *app) configCommand(v operation.Verb) *cobra.Command {
	cmd := a.verbCommand(v)
	output := cmd.Flags().Lookup("output")
	output.Usage = "output format; without keys the table is YAML"
	change := cmd.RunE
	cmd.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 1 {
			return a.showConfig(c.Context(), args[0], output.Value.String())
		}
		if err := change(c, args); err != nil || output.Value.String() != "table" {
			return err
		}
		return a.sayPending(c.Context(), args[0])
	}
	return cmd
}

func (a *app) showConfig(ctx context.Context, cluster, output string) error {
	site, dial, err := a.reach()
	if err != nil {
		return err
	}
	config, err := site.Config(ctx, cluster, dial)
	if err != nil {
		return err
	}
	if output == "table" {
		output = "yaml"
	}
	return encode(a.out, output, config)
}

// sayPending names the members that wait for a restart, if any.
func (a *app) sayPending(ctx context.Context, cluster string) error {
	site, dial, err := a.reach()
	if err != nil {
		return err
	}
	names, err := site.Pending(ctx, cluster, dial)
	if err == nil && len(names) > 0 {
		fmt.Fprintf(a.out, "A setting waits for a restart of %s: pigsty pg restart %s --pending\n", strings.Join(names, ", "), cluster)
	}
	return err
}
