package pgsql

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"pigsty/internal/distro"
	"pigsty/internal/model"
	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

var installExtension = operation.Verb{
	Parent: "pg ext",
	Usage:  "install CLUSTER EXTENSION...",
	Short:  "Install the packages of extensions on all members",
	Long: `Install the packages that bring extensions, and those that they require, on all members of a cluster.
Where a database declares one for which the server has to load a library as it starts, that is seen to
as well: the setting, and the restart of the members one at a time, the leader last.

The inventory stays the source of truth: a library is loaded because a database declares an extension
that needs it, or because pg_libs lists it.`,
	Example: `  pigsty pg ext install pg-test postgis --plan
  pigsty pg ext install pg-test vector pg_repack -y`,
	Prepare: func(flags *pflag.FlagSet) operation.Compile {
		switchover := switchoverFlag(flags)
		return func(args []string) (operation.Steps, error) {
			return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
				d.Switchover = *switchover
				return installSteps(d, c, args[1:])
			}, nil
		}
	},
}

var createExtensionVerb = operation.Verb{
	Parent: "pg ext",
	Usage:  "create CLUSTER DATABASE EXTENSION",
	Short:  "Create an extension in a database, with all that it takes",
	Long: `Create an extension in a database, with those that it requires: install their packages on all members,
have the server load the library that it needs, restart the members for that one at a time and the
leader last, and create it. The plan says what each costs. What is there already is left alone.

An extension that pg_databases declares is created as it says there, and that is all that apply does
for it, too. One that it does not declare is created as well, and the line to add is named. Where the
server has to load a library for it, the inventory has to declare it first: the next apply would take
the library away again.`,
	Example: `  pigsty pg ext create pg-test shop vector --plan
  pigsty pg ext create pg-test shop vector --schema extensions -y
  pigsty pg ext create pg-test shop pg_cron --switchover -y`,
	Prepare: func(flags *pflag.FlagSet) operation.Compile {
		switchover := switchoverFlag(flags)
		schema := flags.String("schema", "", "put its objects into this `schema`, which is created where it is missing")
		version := flags.String("version", "", "create this `version` in place of the newest")
		return func(args []string) (operation.Steps, error) {
			if len(args) != 3 {
				return nil, errors.New("name a cluster, a database and one extension")
			}
			return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
				d.Switchover = *switchover
				return createSteps(d, c, args[1], postgres.Extension{Name: args[2], Schema: *schema, Version: *version})
			}, nil
		}
	},
}

func switchoverFlag(flags *pflag.FlagSet) *bool {
	return flags.Bool("switchover", false, "where a restart is due, hand the leader's role to a replica before it restarts")
}

func installSteps(d *model.Deployment, c *model.PgCluster, names []string) ([]resource.Step, error) {
	var notDeclared []string
	for _, name := range names {
		if summary, hint := lacks(c, name); summary != "" && !isLibrary(c, name) {
			return nil, fmt.Errorf("%s; %s", summary, hint)
		}
		if !slices.ContainsFunc(c.Declared(), func(e model.DeclaredExtension) bool { return e.Name == name }) {
			notDeclared = append(notDeclared, name)
		}
	}
	if err := writable(d, c); err != nil {
		return nil, err
	}
	more := brings(c, names)
	if len(notDeclared) > 0 && more != nil {
		more.Remark = fmt.Sprintf("no database of %s declares %s: members that join later get it when one does", c.Name, strings.Join(notDeclared, ", "))
		if needed := missingLibraries(c, notDeclared); len(needed) > 0 {
			more.Remark += fmt.Sprintf(", and only then does the server load %s", strings.Join(needed, ", "))
		}
	}
	declaredOnes := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(notDeclared, name) })
	nothing := func(*member) {}
	return prepared(d, c, more, loads(c, declaredOnes), nothing, nothing), nil
}

// isLibrary tells whether a name is that of something that is installed and not created.
func isLibrary(c *model.PgCluster, name string) bool {
	catalogue := c.Primary().Catalogue()
	return catalogue != nil && catalogue.Find(name) != nil && catalogue.Find(name).Library
}

// brings is the packages of extensions; nil where the server's own brings them.
func brings(c *model.PgCluster, names []string) *resource.Packages {
	catalogue := c.Primary().Catalogue()
	if catalogue == nil {
		return nil
	}
	packages := catalogue.PackagesOf(catalogue.Closure(names...))
	if len(packages) == 0 {
		return nil
	}
	return &resource.Packages{ID: "extensions", Packages: packages}
}

// missingLibraries are those that extensions need and that the cluster's settings do not load.
func missingLibraries(c *model.PgCluster, names []string) []string {
	catalogue := c.Primary().Catalogue()
	if catalogue == nil {
		return nil
	}
	set := strings.FieldsFunc(c.ClusterSettings()["shared_preload_libraries"], isSeparator)
	return slices.DeleteFunc(distro.PreloadOf(catalogue.Closure(names...)), func(l string) bool { return slices.Contains(set, l) })
}

func createSteps(d *model.Deployment, c *model.PgCluster, database string, e postgres.Extension) ([]resource.Step, error) {
	if summary, hint := lacks(c, e.Name); summary != "" {
		return nil, fmt.Errorf("%s; %s", summary, hint)
	}
	if err := writable(d, c); err != nil {
		return nil, err
	}
	remark := ""
	n := slices.IndexFunc(c.Declared(), func(o model.DeclaredExtension) bool { return o.Database == database && o.Name == e.Name })
	switch {
	case n >= 0:
		if err := asDeclared(c, c.Declared()[n], &e); err != nil {
			return nil, err
		}
	default:
		if needed := missingLibraries(c, []string{e.Name}); len(needed) > 0 {
			return nil, fmt.Errorf("the server has to load %s for %s, and the next apply would take that away again: %s, and say this once more",
				strings.Join(needed, ", "), e.Name, lineToAdd(c, database, e))
		}
		remark = fmt.Sprintf("the inventory does not say that database %s has %s: %s", database, e.Name, lineToAdd(c, database, e))
	}
	restarts := loads(c, []string{e.Name})
	create := func(m *member) {
		leader := c.Leader()
		step := m.add(&postgres.Extensions{
			Conn: m.conn(), Database: database, Extensions: []postgres.Extension{e}, Leads: m.i == leader,
			Existing: m.i == leader, Remark: remark,
		})
		if m.i != leader {
			step.After = []resource.Ref{{Node: leader.Node.Addr, ID: resource.ID(&postgres.PatroniRestart{Cluster: c.Name})}}
		}
	}
	return prepared(d, c, brings(c, []string{e.Name}), restarts, func(*member) {}, func(m *member) {
		if restarts || m.i == c.Leader() {
			m.branch = "pgsql/settings"
			create(m)
		}
	}), nil
}

// asDeclared takes schema and version from the inventory, and refuses others.
func asDeclared(c *model.PgCluster, declared model.DeclaredExtension, e *postgres.Extension) error {
	if e.Schema != "" && e.Schema != declared.Schema || e.Version != "" && e.Version != declared.Version {
		return fmt.Errorf("%s declares %s of database %s with another schema or version: change it there", c.ExtensionPos(declared), e.Name, declared.Database)
	}
	e.Schema, e.Version = declared.Schema, declared.Version
	return nil
}

// lineToAdd says what the inventory has to say of an extension, and where.
func lineToAdd(c *model.PgCluster, database string, e postgres.Extension) string {
	entry := e.Name
	if e.Schema != "" || e.Version != "" {
		entry = "{ name: " + e.Name
		if e.Schema != "" {
			entry += ", schema: " + e.Schema
		}
		if e.Version != "" {
			entry += fmt.Sprintf(", version: %q", e.Version)
		}
		entry += " }"
	}
	if pos := c.EntryPos("pg_databases", database); pos.Line != 0 && slices.ContainsFunc(c.Declared(), func(o model.DeclaredExtension) bool { return o.Database == database }) {
		return fmt.Sprintf("add %s to the extensions of database %s at %s", entry, database, pos)
	} else if pos.Line != 0 {
		return fmt.Sprintf("add extensions: [%s] to database %s at %s", entry, database, pos)
	}
	return fmt.Sprintf("add { name: %s, extensions: [%s] } to pg_databases of %s", database, entry, c.Name)
}
