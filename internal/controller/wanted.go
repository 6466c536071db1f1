package controller

import (
	"fmt"
	"slices"

	"pigsty/internal/distro"
	"pigsty/internal/fact"
	"pigsty/internal/inventory"
	"pigsty/internal/module"
	"pigsty/internal/param"
	"pigsty/internal/resource"
)

// WantedPackages are what the nodes of an inventory install from Debian if all of them have the
// release of that code name, sorted. Packages that nodes go without where no source has them are left
// out. No node is asked, and nothing is written.
func WantedPackages(path, codename string, extra []string) ([]string, error) {
	release := distro.Release(codename)
	if release == 0 {
		return nil, fmt.Errorf("no release of Debian that is known is called %q", codename)
	}
	_, d, problems := Read(path, inventory.Options{Extra: extra, Generated: placeholders()})
	if err := problems.Err(); err != nil {
		return nil, err
	}
	d.Derive = func(...string) []byte { return make([]byte, 32) }
	facts := map[string]fact.Node{}
	for _, n := range d.Nodes {
		facts[n.Addr] = fact.Node{OS: "debian", Release: release, Codename: codename}
	}
	d.Observe(facts)
	var names []string
	for _, s := range module.Compile(d) {
		if p, ok := s.Resource.(*resource.Packages); ok && p.Without == "" {
			names = append(names, p.Packages...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// placeholders stand for the secrets that are generated when an inventory is used.
func placeholders() map[string]string {
	all := map[string]string{}
	for _, name := range param.Secrets() {
		all[name] = "generated"
	}
	return all
}
