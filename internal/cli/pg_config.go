package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"pigsty/internal/module"
)

func newPgConfigCommand(a *app) *cobra.Command {
	var f operationFlags
	cmd := &cobra.Command{
		Use:   "config CLUSTER [KEY=VALUE...]",
		Short: "Show a cluster's dynamic configuration, or change keys of it",
		Long: `Show the configuration that a cluster's members share through Patroni, as YAML or as JSON; or
change keys of it, each named by its path. A value is YAML's, and null removes its key. The next apply
sets back what the inventory says otherwise: what is to stay stands there (pg_parameters).

Nobody is restarted. Members that a setting waits for are named then, and pigsty pg restart CLUSTER
--pending restarts them.`,
		Example: `  pigsty pg config pg-test
  pigsty pg config pg-test postgresql.parameters.work_mem=8MB
  pigsty pg config pg-test ttl=60 loop_wait=15 --plan
  pigsty pg config pg-test postgresql.parameters.work_mem=null -y`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.showConfig(cmd.Context(), args[0], f.output)
			}
			keys, err := configKeys(args[1:])
			if err != nil {
				return err
			}
			if err := a.operate(cmd.Context(), "pg config", args[0], f, module.Configure(keys)); err != nil || f.output == "json" {
				return err
			}
			return a.sayPending(cmd.Context(), args[0])
		},
	}
	f.add(cmd)
	cmd.Flags().Lookup("output").Usage = "table or json; shown without keys: YAML or json"
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
	switch output {
	case "json":
		return encode(a.out, "json", config)
	case "table", "yaml":
		return encode(a.out, "yaml", config)
	}
	return fmt.Errorf("output %q is not known: choose yaml or json", output)
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

// configKeys nests values under the paths of their keys.
func configKeys(words []string) (map[string]any, error) {
	keys := map[string]any{}
	for _, word := range words {
		path, text, found := strings.Cut(word, "=")
		if !found {
			return nil, fmt.Errorf("%q is not KEY=VALUE, such as postgresql.parameters.work_mem=8MB", word)
		}
		var value any = ""
		if text != "" {
			if err := yaml.Unmarshal([]byte(text), &value); err != nil {
				return nil, fmt.Errorf("the value of %s is not YAML: %w", path, err)
			}
		}
		if err := nest(keys, strings.Split(path, "."), value); err != nil {
			return nil, fmt.Errorf("key %q: %w", path, err)
		}
	}
	return keys, nil
}

func nest(tree map[string]any, path []string, value any) error {
	name := path[0]
	inner, given := tree[name]
	switch {
	case name == "":
		return errors.New("a part of the path is empty")
	case len(path) == 1 && given:
		return errors.New("it is given twice")
	case len(path) == 1:
		tree[name] = value
		return nil
	case !given:
		inner = map[string]any{}
		tree[name] = inner
	}
	below, ok := inner.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is given a value of its own as well", name)
	}
	return nest(below, path[1:], value)
}
