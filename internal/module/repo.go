package module

import (
	"errors"
	"fmt"
	"slices"

	"pigsty/internal/aptrepo"
	"pigsty/internal/model"
	"pigsty/internal/module/infra"
	"pigsty/internal/module/node"
	"pigsty/internal/resource"
	"pigsty/internal/resource/repository"
)

// withRepository adds the local repository where nodes use it: on its hosts before their first
// packages are installed, and elsewhere as what those wait for.
func withRepository(d *model.Deployment, steps []resource.Step) []resource.Step {
	users := d.RepositoryUsers()
	if len(users) == 0 {
		return steps
	}
	byHost := map[string][]resource.Step{}
	how := RepoBuild{Refresh: d.Repository.Param.RepoRebuild}
	for _, s := range infra.Repo(d, wants(d, users, steps), how) {
		byHost[s.Node] = append(byHost[s.Node], s)
	}
	var served []resource.Ref
	for _, n := range d.Repository.Hosts {
		served = append(served, infra.Served(n))
	}
	var all []resource.Step
	for _, s := range steps {
		n := d.Node(s.Node)
		p, packages := s.Resource.(*resource.Packages)
		switch {
		case !packages || !slices.Contains(users, n):
		case p.ID == node.PackageSet && !d.Repository.HostedBy(n):
			s.After = append(s.After, served...)
		case p.Without != "":
			p.Index = node.RepositoryIndex(d, n)
		}
		if packages && p.ID == node.PackageSet {
			all = append(all, byHost[s.Node]...)
		}
		all = append(all, s)
	}
	return all
}

// wants are the packages that nodes install, in the order of their steps.
func wants(d *model.Deployment, nodes []*model.Node, steps []resource.Step) []infra.Want {
	all := make([]infra.Want, len(nodes))
	for i, n := range nodes {
		all[i].Node = n
	}
	for _, s := range steps {
		p, packages := s.Resource.(*resource.Packages)
		at := slices.IndexFunc(all, func(w infra.Want) bool { return w.Node.Addr == s.Node })
		if !packages || at < 0 {
			continue
		}
		all[at].Sets = append(all[at].Sets, setOf(p))
		if p.Without != "" {
			all[at].Optional = append(all[at].Optional, p.Packages...)
		}
	}
	return all
}

func setOf(p *resource.Packages) aptrepo.Set {
	return aptrepo.Set{Packages: p.Packages, Recommends: p.Recommends}
}

// repositoryWants is what the local repository has to have: the packages of the nodes that use it, or
// of all where none does yet.
func repositoryWants(d *model.Deployment) ([]infra.Want, error) {
	if d.Repository == nil {
		return nil, errors.New("no node of the inventory can have the local repository: it is on nodes with meta_node where nginx_enabled is true")
	}
	users := d.RepositoryUsers()
	if len(users) == 0 {
		users = d.Nodes
	}
	var steps []resource.Step
	for _, m := range Order {
		if m.Compile != nil {
			steps = append(steps, m.Compile(d)...)
		}
	}
	return wants(d, users, steps), nil
}

// RepoBuild says how the local repository is built.
type RepoBuild = infra.RepoBuild

// BuildRepo lists what builds the local repository on its hosts.
func BuildRepo(d *model.Deployment, how RepoBuild) ([]resource.Step, error) {
	wants, err := repositoryWants(d)
	if err != nil {
		return nil, err
	}
	return infra.Repo(d, wants, how), nil
}

// UnpackRepo lists what adds a bundle to the local repository on its hosts.
func UnpackRepo(d *model.Deployment, bundle *aptrepo.Bundle) ([]resource.Step, error) {
	if d.Repository == nil {
		_, err := repositoryWants(d)
		return nil, err
	}
	return infra.UnpackRepo(d, bundle), nil
}

// RepoQuery asks a host of the local repository for its state; verify also whether it is whole.
func RepoQuery(d *model.Deployment, host *model.Node, verify bool) (repository.Query, error) {
	wants, err := repositoryWants(d)
	if err != nil {
		return repository.Query{}, err
	}
	r := infra.RepoResource(d, host, wants)
	if verify && len(r.Suites) == 0 {
		return repository.Query{}, fmt.Errorf("no node that takes packages from the repository can be asked what it is")
	}
	return repository.Query{Path: r.Path, Label: r.Label, Key: r.Key, Verify: verify, Suites: r.Suites}, nil
}
