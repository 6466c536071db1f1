// Package pgsql is the PostgreSQL module: what a member of a cluster needs on its node, from the
// operating system's user to the databases, with Patroni in charge and pgBouncer, HAProxy and
// vip-manager or keepalived beside it.
package pgsql

import (
	"embed"

	"pigsty/internal/model"
	"pigsty/internal/render"
	"pigsty/internal/resource"
)

//go:embed templates
var files embed.FS

var templates = render.Parse(files, "templates")

// listing is the order of execution on a node. What clients connect to comes up before Patroni:
// a replica's first copy may take hours, and nothing of the rest has to wait for it.
var listing = []func(*member){
	(*member).account,
	(*member).packages,
	(*member).sudo,
	(*member).shell,
	(*member).ssh,
	(*member).folders,
	(*member).certificate,
	(*member).scripts,
	(*member).patroniFiles,
	(*member).poolEarly,
	(*member).haproxy,
	(*member).vip,
	(*member).patroni,
	(*member).settings,
	(*member).roles,
	(*member).databases,
	(*member).poolAuth,
	(*member).poolLate,
	(*member).noPoolAuth,
	(*member).restart,
	(*member).lateExtensions,
	(*member).noHandover,
	(*member).vipAddress,
	(*member).synchronous,
	(*member).pause,
	(*member).exporter,
}

// Compile lists the steps of every cluster's members.
func Compile(d *model.Deployment) []resource.Step {
	var steps []resource.Step
	for _, c := range d.Pg {
		verifiers := map[[2]string]string{}
		for _, i := range c.Instances {
			m := &member{d: d, c: c, i: i, p: i.Param, verifiers: verifiers}
			for _, list := range listing {
				list(m)
				m.branch = ""
			}
			steps = append(steps, m.steps...)
		}
	}
	for _, c := range d.Pg {
		steps = append(steps, Registered(d, c)...)
	}
	return steps
}
