package module_test

import (
	"slices"
	"strings"
	"testing"

	"pigsty/internal/aptrepo"
	"pigsty/internal/engine"
	"pigsty/internal/fact"
	"pigsty/internal/golden"
	"pigsty/internal/model"
	"pigsty/internal/model/modeltest"
	"pigsty/internal/module"
	"pigsty/internal/resource"
	"pigsty/internal/resource/repository"
)

const site = `
all:
  children:
    meta:
      vars: { meta_node: true }
      hosts: { 10.10.10.10: {} }
    pg-test:
      hosts:
        10.10.10.11: { pg_seq: 1, pg_role: primary }
        10.10.10.12: { pg_seq: 2, pg_role: replica }
      vars:
        pg_cluster: pg-test
        node_packages: [jq, nothere]
    old:
      hosts:
        10.10.10.13: { node_repo_method: none }
        10.10.10.14: {}
  vars:
    dcs_servers: { etcd-1: 10.10.10.10 }
    node_repo_method: local
    node_etc_hosts_default: [10.10.10.10 pigsty]
    repo_packages: [pgvector_14, "postgresql-17-*"]
    repo_url_packages: ["https://far.example/a.deb#sha256=00", https://far.example/b.rpm, https://far.example/c.deb]
    repo_upstreams:
    - { name: node }
    - { name: base, description: an RPM source, gpgcheck: false, baseurl: [http://old.example/centos/7/] }
    - { name: extra, baseurl: "https://apt.example/debian ${distro_codename} main", gpgcheck: false, releases: [13], skip_if_unavailable: true }
`

// readSite is a site whose nodes take packages from the meta node, all but one.
func readSite(t *testing.T, text string) (*model.Deployment, string) {
	t.Helper()
	d, problems := modeltest.Text(t, text)
	facts := modeltest.Debian13(d)
	old := facts["10.10.10.14"]
	old.Release, old.Codename, old.Arch = 12, "bookworm", "arm64"
	facts["10.10.10.14"] = old
	d.Observe(facts)
	d.RepositoryKey = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
	d.AptSources = map[string]fact.AptSources{"bookworm": {Files: []fact.AptFile{{Name: "debian.list", Text: "deb http://archive.example/debian bookworm main\n"}}}}
	problems.Add(module.Warnings(d)...)
	var said strings.Builder
	for _, p := range problems {
		if strings.Contains(p.Summary, "repo") || strings.Contains(p.Summary, "far.example") || strings.Contains(p.Summary, "SHA256") {
			said.WriteString(p.String() + "\n")
		}
	}
	return d, said.String()
}

func TestLocalRepository(t *testing.T) {
	d, warnings := readSite(t, site)
	steps := module.Compile(d)
	if _, err := engine.NewGraph(steps); err != nil {
		t.Fatal(err)
	}
	ours := slices.DeleteFunc(slices.Clone(steps), func(s resource.Step) bool { return s.Module != "repo" })
	golden.Compare(t, "testdata/repo.txt", golden.Steps(ours)+"\n== warnings\n"+warnings)

	place := func(node, id string) int {
		return slices.IndexFunc(steps, func(s resource.Step) bool { return s.Node == node && resource.ID(s.Resource) == id })
	}
	const host = "10.10.10.10"
	order := []string{"file:/etc/apt/sources.list.d/pigsty.sources", "repository:/www/pigsty", "packages:node", "packages:nginx", "wait:repository", "packages:etcd"}
	for k := range order[1:] {
		if before, after := place(host, order[k]), place(host, order[k+1]); before < 0 || after < before {
			t.Errorf("%s is step %d, and %s is step %d", order[k], before, order[k+1], after)
		}
	}
	for node, waits := range map[string]bool{host: false, "10.10.10.11": true, "10.10.10.13": false, "10.10.10.14": true} {
		after := step(t, steps, node, "packages:node").After
		if got := slices.Contains(after, resource.Ref{Node: host, ID: "wait:repository"}); got != waits {
			t.Errorf("%s waits for the repository: %t", node, got)
		}
	}
}

// A repository that no node uses is built by nobody but its own command, and then for all nodes.
func TestRepositoryThatNobodyUses(t *testing.T) {
	d, _ := readSite(t, strings.Replace(site, "    node_repo_method: local\n", "", 1))
	if steps := module.Compile(d); slices.ContainsFunc(steps, func(s resource.Step) bool { return s.Module == "repo" }) {
		t.Error("a repository is built, and nobody uses it")
	}
	steps, err := module.BuildRepo(d, module.RepoBuild{Refresh: true, Prune: true})
	if err != nil {
		t.Fatal(err)
	}
	r := steps[len(steps)-1].Resource.(*repository.Repository)
	if !r.Refresh || !r.Prune || len(r.Suites) != 2 {
		t.Errorf("%+v", r)
	}
	plain := strings.Replace(site, "meta_node: true", "meta_node: false", 1)
	d, _ = readSite(t, plain)
	if _, err := module.BuildRepo(d, module.RepoBuild{}); err == nil || !strings.Contains(err.Error(), "nginx_enabled is true") {
		t.Errorf("without an infrastructure node: %v", err)
	}
	if _, err := module.UnpackRepo(d, &aptrepo.Bundle{}); err == nil {
		t.Error("a bundle can be unpacked nowhere")
	}
}

func TestRepositoryOff(t *testing.T) {
	for _, test := range []struct {
		text         string
		own, offline bool
	}{
		{"repo_upstreams: []", false, true},
		{"repo_upstreams: [{name: node, enabled: false}]", false, true},
		{"repo_upstreams: [{name: base, gpgcheck: false, baseurl: http://x.example}]", true, false},
		{"node_timezone: UTC", true, false},
	} {
		before, _, _ := strings.Cut(site, "    repo_upstreams:")
		d, _ := readSite(t, before+"    "+test.text+"\n")
		if own, offline := d.Repository.OwnSources, d.Repository.Offline(); own != test.own || offline != test.offline {
			t.Errorf("%s: own sources %t, offline %t", test.text, own, offline)
		}
	}
}
