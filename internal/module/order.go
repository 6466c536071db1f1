// Package module names the modules and the order in which they converge.
package module

import (
	"pigsty/internal/model"
	"pigsty/internal/module/etcd"
	"pigsty/internal/module/node"
	"pigsty/internal/module/pgsql"
	"pigsty/internal/resource"
)

// Module is one part of the platform: what it wants on which node.
type Module struct {
	Name    string
	Compile func(d *model.Deployment) []resource.Step
}

// Order is every module, in the order in which a node converges.
var Order = []Module{
	{"node", node.Compile},
	{"etcd", etcd.Compile},
	{"pgsql", pgsql.Compile},
}

// Compile is everything that all modules want. A node's steps come module by module in that
// order, which is the order in which the node carries them out.
func Compile(d *model.Deployment) []resource.Step {
	var steps []resource.Step
	for _, m := range Order {
		steps = append(steps, m.Compile(d)...)
	}
	return steps
}

// Names are the modules' names in order.
func Names() []string {
	names := make([]string, len(Order))
	for i, m := range Order {
		names[i] = m.Name
	}
	return names
}
