package repository

import (
	"context"
	"strings"

	"pigsty/internal/aptrepo"
	"pigsty/internal/deb"
	"pigsty/internal/resource"
)

// sequences installs each node's sets one after another, on a node that has nothing before, and tells
// of all that comes. Which of several packages apt takes to fulfil a wish depends on what is there.
func (a *root) sequences(ctx context.Context, s *Suite, missing []string) ([]found, error) {
	seen := map[string]found{}
	r := &resolver{missing: map[string]bool{}}
	for _, name := range missing {
		r.missing[name] = true
	}
	for _, profile := range s.Profiles {
		if err := a.setStatus(""); err != nil {
			return nil, err
		}
		installed := map[string]deb.Package{}
		for _, set := range r.known(profile) {
			comes, err := a.installOn(ctx, installed, set)
			if err != nil {
				return nil, &unfitError{set, resource.ExplainApt(err)}
			}
			for _, f := range comes {
				seen[f.id()] = f
			}
		}
	}
	r.comes = seen
	return r.found(), a.setStatus("")
}

// installOn simulates the installation of a set on a node that has these packages, and adds what
// comes to them.
func (a *root) installOn(ctx context.Context, installed map[string]deb.Package, set aptrepo.Set) ([]found, error) {
	comes, goes, err := a.simulate(ctx, set)
	if err != nil || len(comes) == 0 {
		return nil, err
	}
	described, err := a.describe(ctx, comes)
	if err != nil {
		return nil, err
	}
	for _, name := range goes {
		delete(installed, name)
	}
	for _, f := range comes {
		installed[f.name] = described[f.id()]
	}
	var status strings.Builder
	for _, p := range installed {
		status.WriteString(p.Control.With("Status", "install ok installed").String() + "\n")
	}
	return comes, a.setStatus(status.String())
}
