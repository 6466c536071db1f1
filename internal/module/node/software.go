package node

import (
	"net/url"
	"slices"
	"strings"

	"pigsty/internal/distro"
	"pigsty/internal/model"
	"pigsty/internal/resource"
)

const (
	sourcesFile = "/etc/apt/sources.list.d/pigsty.sources"
	// onlyOurs makes apt read no other sources than sourcesFile. The others stay where they
	// are, and count again when this file goes.
	onlyOurs = "/etc/apt/apt.conf.d/90pigsty-sources"
	// direct has apt ask the local repository itself, whatever proxy it has for others.
	direct = "/etc/apt/apt.conf.d/90pigsty-repository"
)

// RepositoryKey is where nodes have the public key of the local repository.
const RepositoryKey = "/etc/pigsty/repository.asc"

// software sets where packages come from and installs those that every node has.
func (b *builder) software() {
	b.localRepository()
	sources := b.sources()
	if len(sources) == 0 {
		// Without a source of ours, setting the others aside would leave none.
		b.add(&resource.File{Path: sourcesFile, Absent: true})
		b.add(&resource.File{Path: onlyOurs, Absent: true})
	} else {
		b.add(&resource.File{Path: sourcesFile, Content: templates.Fill("/etc/apt/local.sources", sources)})
		b.add(&resource.File{
			Path: onlyOurs, Content: templates.Fill(onlyOurs, sourcesFile), Absent: !b.n.Param.NodeRepoRemove,
		})
	}
	b.add(&resource.Packages{ID: PackageSet, Packages: b.packages()})
}

// PackageSet is the name of the set of packages that every node has; with it the first packages
// are installed on a node.
const PackageSet = "node"

// source is one entry of sourcesFile.
type source struct {
	URL string
	// Suite and Key are of a repository that is signed; without them it is flat and trusted.
	Suite, Key string
}

// sources are the entries of sourcesFile; none when the node's own sources serve.
func (b *builder) sources() []source {
	if b.n.Param.NodeRepoMethod != "local" {
		return nil
	}
	var all []source
	for _, url := range b.n.Param.NodeRepoLocalUrls {
		s, ok := b.source(url)
		if ok && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// source reads one address: the local repository's, or that of a folder with a Packages file. A file
// that describes a repository to yum, as v1.5's do, is none of apt's.
func (b *builder) source(url string) (source, bool) {
	r := b.d.Repository
	switch {
	case r != nil && r.IsAt(url) && r.HostedBy(b.n):
		// Also when nginx does not run, and before it does.
		return source{"file:" + r.Dir + "/", b.n.Facts.Codename, RepositoryKey}, true
	case r != nil && r.IsAt(url):
		return source{r.FolderAt(url), b.n.Facts.Codename, RepositoryKey}, true
	case isYumFile(url):
		return source{}, false
	}
	return source{URL: strings.TrimSuffix(url, "/") + "/"}, true
}

func isYumFile(url string) bool { return strings.HasSuffix(url, ".repo") }

// localRepository is what apt needs to take packages from the local repository: its key, the way to
// it past any proxy, and what to do when the node is newer than what the repository has.
func (b *builder) localRepository() {
	if !b.d.UsesRepository(b.n) {
		for _, path := range []string{RepositoryKey, direct, resource.RepositoryPreferences} {
			b.add(&resource.File{Path: path, Absent: true})
		}
		return
	}
	b.add(&resource.File{Path: RepositoryKey, Content: b.d.RepositoryKey})
	b.file(direct, b.repositoryHosts())
	b.file(resource.RepositoryPreferences, b.d.Repository.Name)
}

// RepositoryIndex is the address of the index that tells apt on the node what the local repository
// has; empty where the node does not use it.
func RepositoryIndex(d *model.Deployment, n *model.Node) string {
	b := &builder{d: d, n: n}
	for _, s := range b.sources() {
		if s.Suite != "" {
			return s.URL + "dists/" + s.Suite + "/InRelease"
		}
	}
	return ""
}

// repositoryHosts are the hosts that the node reaches the local repository at.
func (b *builder) repositoryHosts() []string {
	var hosts []string
	for _, address := range b.n.Param.NodeRepoLocalUrls {
		if u, err := url.Parse(address); err == nil && b.d.Repository.IsAt(address) {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// packages are what this module itself works with, then what the inventory wants.
func (b *builder) packages() []string {
	wanted := slices.Concat(b.needed(), b.n.Param.NodePackagesDefault, b.n.Param.NodePackages)
	if b.n.Param.MetaNode {
		wanted = append(wanted, b.n.Param.NodePackagesMeta...)
	}
	packages, _ := distro.Packages(b.n.Facts.Release, wanted, b.pgVersion())
	return packages
}

// needed are the packages without which steps of this module could not work.
func (b *builder) needed() []string {
	p := b.n.Param
	needed := []string{"ca-certificates"}
	for _, need := range []struct {
		when     bool
		packages []string
	}{
		{p.NodeAdminEnabled, []string{"sudo", "openssh-client"}},
		{len(p.NodeKernelModules) > 0, []string{"kmod"}},
		{p.NodeTune != "none", []string{"tuned"}},
		{p.NodeTimezone != "" || p.NodeNtpEnabled, []string{"tzdata"}},
		{p.NodeNtpEnabled, []string{"chrony"}},
		{len(p.NodeCrontab) > 0, []string{"cron"}},
	} {
		if need.when {
			needed = append(needed, need.packages...)
		}
	}
	return needed
}

// pgVersion is what ${pg_version} stands for; 0 is the distribution's own.
func (b *builder) pgVersion() int {
	if b.n.Pg == nil {
		return 0
	}
	return b.n.Pg.Version()
}
