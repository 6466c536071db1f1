package pgsql

import (
	"slices"

	"pigsty/internal/distro"
	"pigsty/internal/model"
	"pigsty/internal/resource"
)

// prepared lists what is done with extensions by hand, in the one order that works: packages on all
// members; the libraries to load into the cluster's settings, where there are any; first, on the
// leader; the restart that the libraries take; and then, on every member, as the leader may have
// moved, what had to wait for it.
func prepared(d *model.Deployment, c *model.PgCluster, more *resource.Packages, restarts bool, first, then func(*member)) []resource.Step {
	verifiers := map[[2]string]string{}
	var elsewhere []resource.Ref
	var steps []resource.Step
	leader := c.Leader()
	order := slices.Concat([]*model.PgInstance{leader}, slices.DeleteFunc(slices.Clone(c.Instances), func(i *model.PgInstance) bool { return i == leader }))
	for _, i := range slices.Backward(order) {
		m := &member{d: d, c: c, i: i, p: i.Param, verifiers: verifiers}
		m.packages()
		m.packagesBeside(more)
		last := m.steps[len(m.steps)-1].Ref()
		if restarts {
			m.patroniFile() // has what a new cluster would be founded with, the libraries among it
		}
		if i == leader {
			// Whatever creates something waits for all members, so that none lacks what it
			// will replay, or has to load.
			m.steps[0].After = elsewhere
			if restarts {
				m.settings()
				m.branch = ""
			}
			first(m)
			m.branch = ""
			if restarts {
				m.restart()
				m.branch = ""
			}
		}
		elsewhere = append(elsewhere, last)
		then(m)
		steps = append(steps, m.steps...)
	}
	return steps
}

// loads tells whether the server has to load libraries for extensions.
func loads(c *model.PgCluster, extensions []string) bool {
	catalogue := c.Primary().Catalogue()
	return catalogue != nil && len(distro.PreloadOf(catalogue.Closure(extensions...))) > 0
}

// packagesBeside installs those packages that the inventory does not ask for anyway.
func (m *member) packagesBeside(more *resource.Packages) {
	if more == nil {
		return
	}
	declared := m.i.ExtensionPackages()
	rest := *more
	rest.Packages = slices.DeleteFunc(slices.Clone(more.Packages), func(name string) bool { return slices.Contains(declared, name) })
	if len(rest.Packages) > 0 {
		m.add(&rest)
	}
}
