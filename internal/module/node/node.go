// Package node makes a bare Debian machine ready for what the other modules put on it: its name
// and those of others, package sources and packages, trust in the deployment's authority,
// kernel settings, an administrator, the clock and periodic jobs.
package node

import (
	"embed"

	"pigsty/internal/model"
	"pigsty/internal/register"
	"pigsty/internal/render"
	"pigsty/internal/resource"
)

//go:embed templates
var files embed.FS

var templates = render.Parse(files, "templates")

// Compile lists what every node is to be. What only helps stands on a branch of its own, so
// that its failure stops nothing else.
func Compile(d *model.Deployment) []resource.Step {
	var steps []resource.Step
	for _, n := range d.Nodes {
		b := &builder{d: d, n: n}
		b.names()
		b.software()
		b.trust()
		b.storage()
		b.admin()
		b.shell()
		b.kernel()
		b.tune()
		b.clock()
		b.crontab()
		b.monitor()
		b.logs()
		b.targets()
		steps = append(steps, b.steps...)
	}
	return steps
}

// builder collects the steps of one node.
type builder struct {
	d      *model.Deployment
	n      *model.Node
	branch string // of the steps that are being added
	steps  []resource.Step
	// scraped are the endpoints that Prometheus asks here, and sender is Promtail's, which comes with a
	// step that a node may do without.
	scraped, sender []register.Endpoint
	promtail        resource.Ref
}

// on starts a branch; empty goes back to the trunk.
func (b *builder) on(branch string) {
	b.branch = ""
	if branch != "" {
		// Other modules' branches share the node's name space.
		b.branch = "node/" + branch
	}
}

func (b *builder) add(r resource.Resource, notify ...resource.Notification) {
	b.steps = append(b.steps, resource.Step{
		Node: b.n.Addr, Module: "node", Branch: b.branch, Notify: notify, Resource: r,
	})
}

// file adds a file whose text is the template of the given path.
func (b *builder) file(path string, data any, notify ...resource.Notification) {
	b.add(&resource.File{Path: path, Content: templates.Fill(path, data)}, notify...)
}
