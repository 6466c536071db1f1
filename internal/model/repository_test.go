package model_test

import (
	"fmt"
	"testing"

	"pigsty/internal/inventory"
	"pigsty/internal/model"
	"pigsty/internal/param"
)

// repositoryOf is the local repository of a deployment whose second node takes packages from an
// address.
func repositoryOf(t *testing.T, vars, address string) (*model.Deployment, *model.Node) {
	t.Helper()
	text := fmt.Sprintf(`
all:
  hosts:
    10.0.0.1: { meta_node: true, nodename: infra-1 }
    10.0.0.2: { node_repo_method: local, node_repo_local_urls: [%q] }
  vars: { node_etc_hosts_default: [10.0.0.1 pigsty] %s }
`, address, vars)
	inv, problems := inventory.Parse("pigsty.yml", []byte(text), inventory.Options{})
	problems.Add(param.Check(inv)...)
	d, more := model.Build(inv)
	if problems.Add(more...); problems.HasErrors() {
		t.Fatal(problems.Err())
	}
	return d, d.Nodes[1]
}

func TestRepositoryAddresses(t *testing.T) {
	for _, test := range []struct{ vars, address, folder string }{ // no folder: another repository
		{"", "http://pigsty/pigsty.repo", "http://pigsty/pigsty/"},
		{"", "http://pigsty/pigsty", "http://pigsty/pigsty/"},
		{"", "http://10.0.0.1/pigsty/", "http://10.0.0.1/pigsty/"},
		{"", "http://infra-1/pigsty/", "http://infra-1/pigsty/"},
		{", nginx_port: 8080", "http://pigsty/pigsty.repo", "http://pigsty:8080/pigsty/"},
		{", nginx_port: 8080", "http://pigsty:80/pigsty.repo", "http://pigsty:80/pigsty/"},
		{", nginx_port: 8080", "https://pigsty/pigsty/", "https://pigsty/pigsty/"},
		{", repo_name: box, repo_address: apt.example", "http://apt.example/box/", "http://apt.example/box/"},
		{", repo_name: box, repo_address: apt.example", "http://pigsty/pigsty.repo", ""},
		{"", "http://elsewhere/pigsty/", ""},
		{"", "http://pigsty/other/", ""},
		{"", "http://pigsty/pigsty/sub/", ""},
		{"", "file:///www/pigsty/", ""},
	} {
		d, n := repositoryOf(t, test.vars, test.address)
		if uses := d.UsesRepository(n); uses != (test.folder != "") {
			t.Errorf("%s with %q: used %t", test.address, test.vars, uses)
		} else if got := d.Repository.FolderAt(test.address); uses && got != test.folder {
			t.Errorf("%s with %q: %s, want %s", test.address, test.vars, got, test.folder)
		}
	}
}

func TestRepositoryFolder(t *testing.T) {
	for vars, want := range map[string][2]string{
		"":                                   {"/www/pigsty", "http://pigsty/pigsty/"},
		", nginx_home: /srv, repo_name: box": {"/srv/box", "http://pigsty/box/"},
		", nginx_port: 81":                   {"/www/pigsty", "http://pigsty:81/pigsty/"},
		", repo_address: 'fd00::1'":          {"/www/pigsty", "http://[fd00::1]/pigsty/"},
	} {
		d, _ := repositoryOf(t, vars, "http://x/")
		if got := [2]string{d.Repository.Dir, d.Repository.URL()}; got != want {
			t.Errorf("%q: %q", vars, got)
		}
	}
	if d, _ := repositoryOf(t, ", nginx_enabled: false", "http://pigsty/pigsty.repo"); d.Repository != nil {
		t.Error("a node without nginx has the repository")
	}
}
