package register

import (
	"path"
	"slices"

	"pigsty/internal/model"
	"pigsty/internal/resource"
)

// Sweep takes away what was registered once and is in the inventory no more: it was taken out there
// without pigsty remove. Steps are those of the whole deployment; what they write stays.
func Sweep(d *model.Deployment, steps []resource.Step) []resource.Step {
	keep := map[[2]string][]string{} // by node and folder
	for _, s := range steps {
		if f, ok := s.Resource.(*resource.File); ok && !f.Absent {
			at := [2]string{s.Node, path.Dir(f.Path)}
			keep[at] = append(keep[at], path.Base(f.Path))
		}
	}
	// A node that cannot be asked for its name is not registered anew, and stays as it is.
	var unknown []string
	for _, n := range d.Nodes {
		if !n.Known {
			unknown = append(unknown, n.Addr+".")
		}
	}
	var swept []resource.Step
	add := func(m *model.Meta, r resource.Resource, notify ...resource.Notification) {
		swept = append(swept, resource.Step{Node: m.Node.Addr, Module: "infra", Branch: Branch, Notify: notify, Resource: r})
	}
	sweep := func(m *model.Meta, dir string, notify ...resource.Notification) {
		add(m, &resource.Sweep{Path: dir, Mark: mark, Keep: keep[[2]string{m.Node.Addr, dir}], KeepAbout: unknown}, notify...)
	}
	for _, m := range d.PrometheusNodes() {
		for _, job := range append(slices.Clone(Scraped), Probe) {
			sweep(m, TargetsDir+"/"+job)
		}
	}
	for _, m := range d.PortalNodes() {
		reload := &resource.UnitReload{Unit: model.NginxUnit, Notice: model.NginxUnit + ".swept"}
		sweep(m, PagesDir, resource.ReloadOf(reload.Notice))
		add(m, reload)
	}
	return swept
}
