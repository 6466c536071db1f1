package infra

import (
	"html/template"

	"pigsty/internal/resource"
)

// folder is one below nginx_home that the portal lists, with what it is for.
type folder struct {
	Name, Title string
	Text        []template.HTML
}

// folders are those that people and programs put files into.
var folders = []folder{
	{"schema", "Schemas", []template.HTML{
		`<a href="/schema/pigsty.schema.json" download>pigsty.schema.json</a> is the JSON schema of inventories, for editors that check and complete YAML, such as those with yaml-language-server: begin the file with <code># yaml-language-server: $schema=URL</code>.`,
		`Reports of database schemas, as SchemaSpy writes them, belong into <code>DATABASE/SCHEMA</code> in this folder, where v1.5 had them. Nothing here writes any by itself.`,
	}},
	{"report", "Reports", []template.HTML{
		`Reports of PostgreSQL's logs, as pgbadger writes them: <code>NODE-DATE.html</code> in this folder, where v1.5 had them. Nothing here writes any by itself; pgbadger is on every node with an instance. <a href="/logs/">Logs</a> has what was logged.`,
	}},
}

// packageFolder is the folder of the local package repository.
func (b *builder) packageFolder() folder {
	return folder{b.p.RepoName, "Packages", []template.HTML{
		`What the nodes of this deployment install from: <a href="/docs/repo.html">the local package repository</a> tells how it comes to be, and <a href="/docs/packages.html">packages</a> what is built for it.`,
	}}
}

// folders adds what the portal serves below its home page: folders that are listed, the page of logs,
// and the documentation.
func (b *builder) folders() {
	b.add(&resource.Directory{Path: b.p.NginxHome + "/logs"})
	b.page("/logs/index.html", "logs.html", b.p.LokiEnabled)
	b.add(&resource.Directory{Path: b.p.NginxHome + listingPages})
	for _, f := range append(folders, b.packageFolder()) {
		b.add(&resource.Directory{Path: b.p.NginxHome + "/" + f.Name})
		b.page(listingPages+"/"+f.Name+".html", "folder.html", f)
	}
	b.add(&resource.Shipped{Path: b.p.NginxHome + "/schema", Content: "schema"})
	b.add(&resource.Shipped{Path: b.p.NginxHome + "/docs", Content: "manual"})
}
