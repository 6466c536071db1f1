package node

import (
	"slices"
	"strings"

	"pigsty/internal/distro"
	"pigsty/internal/resource"
)

const (
	sourcesFile = "/etc/apt/sources.list.d/pigsty.sources"
	// onlyOurs makes apt read no other sources than sourcesFile. The others stay where they
	// are, and count again when this file goes.
	onlyOurs = "/etc/apt/apt.conf.d/90pigsty-sources"
)

// software sets where packages come from and installs those that every node has.
func (b *builder) software() {
	sources := b.sources()
	if sources == "" {
		// Without a source of ours, setting the others aside would leave none.
		b.add(&resource.File{Path: sourcesFile, Absent: true})
		b.add(&resource.File{Path: onlyOurs, Absent: true})
	} else {
		b.add(&resource.File{Path: sourcesFile, Content: sources})
		b.add(&resource.File{
			Path: onlyOurs, Content: templates.Fill(onlyOurs, sourcesFile), Absent: !b.n.Param.NodeRepoRemove,
		})
	}
	b.add(&resource.Packages{ID: "node", Packages: b.packages()})
}

// sources is the text of sourcesFile; empty when the node's own sources serve.
func (b *builder) sources() string {
	if b.n.Param.NodeRepoMethod != "local" {
		return ""
	}
	urls := repositories(b.n.Param.NodeRepoLocalUrls)
	if len(urls) == 0 {
		return ""
	}
	return templates.Fill("/etc/apt/local.sources", urls)
}

// repositories are the URLs that are apt repositories: a folder, not a file that describes one
// to yum, as v1.5's default is.
func repositories(urls []string) []string {
	var kept []string
	for _, url := range urls {
		if !isYumFile(url) {
			kept = append(kept, strings.TrimSuffix(url, "/")+"/")
		}
	}
	return kept
}

func isYumFile(url string) bool { return strings.HasSuffix(url, ".repo") }

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
