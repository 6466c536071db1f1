package pgsql

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

var configure = operation.Verb{
	Parent: "pg",
	Usage:  "config CLUSTER [KEY=VALUE...]",
	Short:  "Show a cluster's dynamic configuration, or change keys of it",
	Long: `Show the configuration that a cluster's members share through Patroni, as YAML or as JSON; or
change keys of it, each named by its path. A value is YAML's, and null removes its key. The next apply
sets back what the inventory says otherwise: what is to stay stands there (pg_parameters).

Nobody is restarted. Members that a setting waits for are named then, and pigsty pg restart CLUSTER
--pending restarts them.`,
	Example: `  pigsty pg config pg-test
  pigsty pg config pg-test postgresql.parameters.work_mem=8MB
  pigsty pg config pg-test ttl=60 loop_wait=15 --plan
  pigsty pg config pg-test postgresql.parameters.work_mem=null -y`,
	Prepare: func(*pflag.FlagSet) operation.Compile {
		return func(args []string) (operation.Steps, error) {
			keys, err := configKeys(args[1:])
			return operate(func(m *member) resource.Resource {
				return &postgres.PatroniConfig{Cluster: m.c.Name, Part: "keys", API: m.api(), Conn: m.conn(), Desired: keys, ByHand: true}
			}), err
		}
	},
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
