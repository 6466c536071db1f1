// Package module names the modules and the order in which they converge.
package module

import (
	"slices"

	"pigsty/internal/diag"
	"pigsty/internal/model"
	"pigsty/internal/module/etcd"
	"pigsty/internal/module/infra"
	"pigsty/internal/module/node"
	"pigsty/internal/module/pgsql"
	"pigsty/internal/operation"
	"pigsty/internal/register"
	"pigsty/internal/resource"
)

// Module is one part of the platform: what it wants on which node.
type Module struct {
	Name string
	// Compile is nil for the local repository, which depends on what all others install.
	Compile func(d *model.Deployment) []resource.Step
	// Warn tells of wishes that cannot be fulfilled as written on the systems the nodes have;
	// nil when the module has none.
	Warn func(d *model.Deployment) diag.List
}

// Order is every module, in the order in which a node converges. The local repository is built where
// its host is about to install its first packages, which come from it: after the node's names and
// sources.
var Order = []Module{
	{infra.RepoModule, nil, infra.RepoWarnings},
	{"node", node.Compile, node.Warnings},
	{"infra", infra.Compile, infra.Warnings},
	{"etcd", etcd.Compile, nil},
	{"pgsql", pgsql.Compile, pgsql.Warnings},
}

// Compile is everything that all modules want. A node's steps come module by module in that
// order, which is the order in which the node carries them out; but last what goes with a step elsewhere,
// so that nothing else waits for that.
func Compile(d *model.Deployment) []resource.Step {
	var steps []resource.Step
	for _, m := range Order {
		if m.Compile != nil {
			steps = append(steps, m.Compile(d)...)
		}
	}
	steps = withRepository(d, steps)
	goesWith := func(s resource.Step) bool { return s.With != (resource.Ref{}) }
	last := slices.DeleteFunc(slices.Clone(steps), func(s resource.Step) bool { return !goesWith(s) })
	return append(slices.DeleteFunc(steps, goesWith), last...)
}

// CompileWhole is Compile for a run that concerns all nodes and modules: besides, what is registered and
// no longer in the inventory is taken away.
func CompileWhole(d *model.Deployment) []resource.Step {
	steps := Compile(d)
	return append(steps, register.Sweep(d, steps)...)
}

// Warnings is everything that all modules warn of.
func Warnings(d *model.Deployment) diag.List {
	var all diag.List
	for _, m := range Order {
		if m.Warn != nil {
			all.Add(m.Warn(d)...)
		}
	}
	return all
}

// Names are the modules' names in order.
func Names() []string {
	names := make([]string, len(Order))
	for i, m := range Order {
		names[i] = m.Name
	}
	return names
}

// Verbs is what all modules offer to do to what runs.
func Verbs() []operation.Verb { return pgsql.Verbs }

// AccessLines are the lines of an instance's access files, of PostgreSQL and of its pool, each with
// where it comes from.
func AccessLines(d *model.Deployment, i *model.PgInstance) (server, pool []model.AccessLine) {
	return pgsql.AccessLines(d, i)
}
