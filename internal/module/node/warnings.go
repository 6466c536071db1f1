package node

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
	"pigsty/internal/distro"
	"pigsty/internal/model"
)

// Warnings tells of wishes that the nodes' system cannot fulfil as they are written, each where
// the inventory has it. It needs the facts: which system a node has.
func Warnings(d *model.Deployment) diag.List {
	w := &warner{}
	for _, n := range d.Nodes {
		w.packages(n)
		w.repositories(d, n)
		w.settings(n)
	}
	w.clocks(d)
	w.list.Sort()
	return w.list
}

// warner collects the warnings.
type warner struct{ list diag.List }

// at adds a warning about a part of a variable. Many nodes share a variable: Sort drops repeats.
func (w *warner) at(n *model.Node, variable string, part *yaml.Node, hint, format string, args ...any) {
	value := n.Vars[variable]
	problem := w.list.Warnf(value.NodePos(part), format, args...)
	problem.Hint = hint
	value.Explain(problem)
}

// packages warns of names that distro cannot map.
func (w *warner) packages(n *model.Node) {
	variables := []string{"node_packages_default", "node_packages"}
	if n.Param.MetaNode {
		variables = append(variables, "node_packages_meta")
	}
	version := 0
	if n.Pg != nil {
		variables = append(variables, "pg_packages", "pg_extensions")
		version = n.Pg.Version()
	}
	for _, variable := range variables {
		for _, entry := range entries(n, variable) {
			for _, a := range distro.Resolve(n.Facts.Release, []string{entry.Value}, version) {
				if a.Problem != "" {
					w.at(n, variable, entry, "see docs/node.md for the names that are understood", "package %s: %s", a.Name, a.Problem)
				}
			}
		}
	}
}

// entries are the parts of a list in the inventory; none when the default serves.
func entries(n *model.Node, variable string) []*yaml.Node {
	value := n.Vars[variable].Node
	switch {
	case value == nil:
		return nil
	case value.Kind == yaml.SequenceNode:
		return value.Content
	}
	return []*yaml.Node{value}
}

// repositories warns of sources that only yum can read.
func (w *warner) repositories(d *model.Deployment, n *model.Node) {
	p := n.Param
	if p.NodeRepoMethod != "local" {
		return
	}
	ours := func(url string) bool { return d.Repository != nil && d.Repository.IsAt(url) }
	for _, entry := range entries(n, "node_repo_local_urls") {
		if isYumFile(entry.Value) && !ours(entry.Value) {
			w.at(n, "node_repo_local_urls", entry, "give the address of a folder with a Packages file, such as http://10.10.10.10/pigsty/",
				"%s describes a repository to yum, and is skipped", entry.Value)
		}
	}
	if slices.ContainsFunc(p.NodeRepoLocalUrls, func(url string) bool { return !isYumFile(url) || ours(url) }) {
		return
	}
	w.at(n, "node_repo_method", nil, "", "node_repo_method is local and node_repo_local_urls has no apt repository: the nodes' own sources serve")
}

// settings warns of wishes that this system fulfils later, or not at all.
func (w *warner) settings(n *model.Node) {
	if n.Param.MetaNode && n.Param.NodePackagesMetaPip != "" {
		w.at(n, "node_packages_meta_pip", nil, "name Debian's packages in node_packages_meta, such as jupyterlab",
			"Python packages are not installed by pip: Debian keeps its Python to itself")
	}
	if n.Param.NodeDnsMethod != "none" && len(n.Param.NodeDnsServers) == 0 {
		w.at(n, "node_dns_method", nil, "set node_dns_servers, or node_dns_method to none",
			"node_dns_method is %s and node_dns_servers is empty: the resolvers stay as they are", n.Param.NodeDnsMethod)
	}
}

// clocks says once which nodes cannot have their clock set.
func (w *warner) clocks(d *model.Deployment) {
	var watched []string
	for _, n := range d.Nodes {
		if n.Facts.Container && n.Param.NodeNtpEnabled {
			watched = append(watched, n.Addr)
		}
	}
	if len(watched) == 0 {
		return
	}
	w.list.Warnf(diag.Pos{}, "the clock of %s belongs to a container's host: chronyd watches it and does not set it", strings.Join(watched, ", ")).
		Hint = "keep the time on the host"
}
