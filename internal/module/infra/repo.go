package infra

import (
	"slices"
	"strconv"
	"strings"

	"pigsty/internal/aptrepo"
	"pigsty/internal/diag"
	"pigsty/internal/distro"
	"pigsty/internal/model"
	"pigsty/internal/param"
	"pigsty/internal/resource"
	"pigsty/internal/resource/repository"
)

// RepoModule is the name that the repository's steps have in plans.
const RepoModule = "repo"

// Want is what one node of a deployment installs, set after set.
type Want struct {
	Node *model.Node
	Sets []aptrepo.Set
	// Optional are those of the packages that the node goes without where no source has them.
	Optional []string
}

// RepoBuild says how the repository is built.
type RepoBuild struct {
	// Refresh looks for newer versions, Prune drops what is not needed any more.
	Refresh, Prune bool
	// Files are packages of the controller's, with the supplies they are read from.
	Files    []repository.File
	Supplies map[string]resource.Supply
}

// Repo lists what makes the local repository, on each of its hosts.
func Repo(d *model.Deployment, wants []Want, how RepoBuild) []resource.Step {
	var steps []resource.Step
	for _, n := range d.Repository.Hosts {
		r := RepoResource(d, n, wants)
		r.Refresh, r.Prune, r.Files = how.Refresh, how.Prune, how.Files
		steps = append(steps, repoStep(n, r, how.Supplies))
	}
	return steps
}

func repoStep(n *model.Node, r resource.Resource, supplies map[string]resource.Supply) resource.Step {
	return resource.Step{Node: n.Addr, Module: RepoModule, Resource: r, Supplies: supplies}
}

// RepoResource is the repository as a host of it has to have it.
func RepoResource(d *model.Deployment, host *model.Node, wants []Want) *repository.Repository {
	r := d.Repository
	out := &repository.Repository{
		Path: r.Dir, Label: r.Name, Key: d.RepositoryKey, OwnSources: r.OwnSources, Suites: suites(d, host, wants),
	}
	for _, u := range r.Upstreams {
		out.Upstreams = append(out.Upstreams, upstream(u))
	}
	for _, wish := range r.Wishes("repo_url_packages", r.Param.RepoUrlPackages) {
		if url, sum := splitSum(wish.Text); strings.HasSuffix(url, ".deb") {
			out.Downloads = append(out.Downloads, repository.Download{URL: url, SHA256: sum, Place: wish.Pos.String()})
		}
	}
	return out
}

// splitSum takes the hash off an address: "…/x.deb#sha256=…".
func splitSum(text string) (url, sum string) {
	url, sum, _ = strings.Cut(text, "#sha256=")
	return url, strings.ToLower(sum)
}

func upstream(u param.RepoUpstream) repository.Upstream {
	out := repository.Upstream{
		Name: u.Name, Lines: u.Baseurl, Key: u.Key, Trusted: !u.Gpgcheck, Optional: u.SkipIfUnavailable, Archs: u.Arch,
	}
	for _, release := range u.Releases {
		out.Codenames = append(out.Codenames, distro.Codename(release))
	}
	return out
}

// suites are the releases and architectures of the nodes, each with what its nodes install.
func suites(d *model.Deployment, host *model.Node, wants []Want) []repository.Suite {
	var all []repository.Suite
	for _, w := range wants {
		if !w.Node.Known {
			continue // what it is, and so what it needs, is not known
		}
		codename, arch := w.Node.Facts.Codename, distro.Arch(w.Node.Facts.Arch)
		at := slices.IndexFunc(all, func(s repository.Suite) bool { return s.Codename == codename && s.Arch == arch })
		if at < 0 {
			s := repository.Suite{Codename: codename, Arch: arch, Places: map[string]string{}}
			s.Extra, _ = distro.Packages(w.Node.Facts.Release, d.Repository.Param.RepoPackages, 0)
			if from, known := d.AptSources[codename]; known && codename != host.Facts.Codename {
				s.Sources = &from
			}
			all, at = append(all, s), len(all)
		}
		all[at].Profiles = addProfile(all[at].Profiles, w.Sets)
		all[at].Optional = addNames(all[at].Optional, w.Optional)
		addPlaces(all[at].Places, d, w.Node)
	}
	return all
}

// addProfile adds what a node installs, unless another one is like it.
func addProfile(profiles [][]aptrepo.Set, sets []aptrepo.Set) [][]aptrepo.Set {
	key := profileKey(sets)
	if slices.ContainsFunc(profiles, func(have []aptrepo.Set) bool { return profileKey(have) == key }) {
		return profiles
	}
	return append(profiles, sets)
}

// addNames adds names that are not there yet.
func addNames(names, more []string) []string {
	for _, name := range more {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func profileKey(sets []aptrepo.Set) string {
	var keys []string
	for _, s := range sets {
		keys = append(keys, s.Key())
	}
	return strings.Join(keys, "\n")
}

// packageLists are the parameters that name packages.
var packageLists = []string{"node_packages_default", "node_packages", "node_packages_meta", "pg_packages", "pg_extensions"}

// addPlaces notes where the inventory wants each package by name.
func addPlaces(places map[string]string, d *model.Deployment, n *model.Node) {
	version := 0
	if n.Pg != nil {
		version = n.Pg.Version()
	}
	for _, list := range packageLists {
		value := n.Vars[list]
		if value.Node == nil {
			continue
		}
		for _, entry := range value.Node.Content {
			note(places, n.Facts.Release, entry.Value, version, value.NodePos(entry))
		}
	}
	for _, wish := range d.Repository.Wishes("repo_packages", d.Repository.Param.RepoPackages) {
		note(places, n.Facts.Release, wish.Text, 0, wish.Pos)
	}
}

func note(places map[string]string, release int, entry string, version int, pos diag.Pos) {
	if pos.Line == 0 {
		return // a default, or the command line
	}
	packages, _ := distro.Packages(release, []string{entry}, version)
	for _, name := range packages {
		if places[name] == "" {
			places[name] = pos.String()
		}
	}
}

// RepoWarnings tells of wishes for the local repository that cannot be fulfilled as they are written.
func RepoWarnings(d *model.Deployment) diag.List {
	var list diag.List
	if d.Repository == nil {
		return list
	}
	r := d.Repository
	warn := func(variable string, wish model.Wish, hint, format string, args ...any) {
		problem := list.Warnf(wish.Pos, format, args...)
		problem.Hint = hint
		r.Hosts[0].Vars[variable].Explain(problem)
	}
	for _, wish := range r.Wishes("repo_url_packages", r.Param.RepoUrlPackages) {
		url, sum := splitSum(wish.Text)
		switch {
		case !strings.HasSuffix(url, ".deb"):
			warn("repo_url_packages", wish, "give the address of a package of Debian's form, ending in .deb", "%s is no package for Debian, and is passed over", url)
		case sum == "":
			warn("repo_url_packages", wish, "add #sha256=… to its address", "nothing says what %s has to be: whatever comes from there is taken", url)
		case !isSum(sum):
			warn("repo_url_packages", wish, "64 hexadecimal digits stand after #sha256=", "%q is no SHA256", sum)
		}
	}
	for _, wish := range r.Wishes("repo_packages", r.Param.RepoPackages) {
		for _, a := range distro.Resolve(r.Hosts[0].Facts.Release, []string{wish.Text}, 0) {
			if a.Problem != "" && !strings.Contains(a.Name, "*") {
				warn("repo_packages", wish, "see docs/node.md for the names that are understood", "package %s: %s", a.Name, a.Problem)
			}
		}
	}
	return list
}

func isSum(text string) bool {
	if len(text) != 64 {
		return false
	}
	for at := 0; at < len(text); at += 16 {
		if _, err := strconv.ParseUint(text[at:at+16], 16, 64); err != nil {
			return false
		}
	}
	return true
}
