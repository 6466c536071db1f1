package register

import (
	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
)

// PagesDir is where the portal finds what pages of others it leads to.
const PagesDir = "/etc/nginx/conf.d/haproxy"

// Page is a page of a service that speaks TLS, under its instance's name, and that the portal leads to: whoever asks it for /<name>/ is answered by
// the service.
type Page struct {
	Name     string // an instance
	About    string // the node that the service is on
	Endpoint string // address and port of the service; empty = there is no such page
}

func (p Page) file() *resource.File {
	return &resource.File{Path: PagesDir + "/" + p.Name + ".conf", Absent: p.Endpoint == "", Content: mark + "\n" +
		"location ^~ /" + p.Name + "/ {\n" +
		"    proxy_pass https://" + p.Endpoint + ";\n" +
		"    proxy_ssl_verify on;\n" +
		"    proxy_ssl_trusted_certificate " + pki.CAPath + ";\n" +
		"    proxy_ssl_name " + p.Name + ";\n" +
		"    proxy_connect_timeout 2s;\n" +
		"}\n"}
}

// Pages are all pages of a group, a cluster, written on every node that runs a portal, which reads
// them anew.
func Pages(d *model.Deployment, module, group string, pages ...Page) []resource.Step {
	var steps []resource.Step
	for _, m := range d.PortalNodes() {
		step := func(about []string, r resource.Resource, notify ...resource.Notification) {
			steps = append(steps, resource.Step{Node: m.Node.Addr, About: about, Module: module, Branch: Branch, Notify: notify, Resource: r})
		}
		reload := &resource.UnitReload{Unit: model.NginxUnit, Notice: model.NginxUnit + "." + group}
		var about []string
		for _, p := range pages {
			step([]string{p.About}, p.file(), resource.ReloadOf(reload.Notice))
			about = append(about, p.About)
		}
		step(about, reload)
	}
	return steps
}
