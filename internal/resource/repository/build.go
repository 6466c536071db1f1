package repository

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"pigsty/internal/aptrepo"
	"pigsty/internal/deb"
	"pigsty/internal/resource"
)

const (
	// listsAge is how old apt's lists may be when only something lacking is looked for.
	listsAge = 24 * time.Hour
	// refreshAge is how old they may be when newer versions are looked for: a plan and the apply
	// after it see the same.
	refreshAge = 5 * time.Minute
)

// build is one making of a repository.
type build struct {
	r    *Repository
	step resource.Resource // whose step it is, for the controller
	h    *resource.Host
	have *aptrepo.Manifest // nil when there is no repository yet
	want *aptrepo.Manifest
	// lost are packages of the manifest whose files are gone or damaged, by ID.
	lost map[string]bool
	// added says that packages were taken in by hand.
	added bool
	roots map[string]*root // by suite
	// fetches are the packages that each suite has to fetch.
	fetches map[string][]found
}

func newBuild(r *Repository, h *resource.Host, have *aptrepo.Manifest) *build {
	b := &build{r: r, step: r, h: h, have: have, lost: map[string]bool{}, roots: map[string]*root{}, fetches: map[string][]found{}}
	if have == nil {
		b.want = &aptrepo.Manifest{Format: aptrepo.Format}
	} else {
		b.want = have.Clone()
	}
	b.want.Name = r.Label
	return b
}

// base is what a Debian server has before anything is installed on it. It is in the repository so
// that a node of an older minor release finds what has to be renewed together.
var base = []aptrepo.Set{{Packages: []string{"?essential", "?priority(required)", "?priority(important)", "?priority(standard)"}}}

// resolve finds out which packages are needed, and which of them have to be fetched.
func (b *build) resolve(ctx context.Context) error {
	for i := range b.r.Suites {
		s := &b.r.Suites[i]
		if err := b.resolveSuite(ctx, s); err != nil {
			return fmt.Errorf("packages for %s/%s: %w", s.Codename, s.Arch, err)
		}
	}
	b.forgivePatterns()
	return b.dropLost()
}

// forgivePatterns takes a pattern that matches nothing in one suite, and something in another, for
// fulfilled.
func (b *build) forgivePatterns() {
	missing := map[string]int{}
	for _, s := range b.want.Suites {
		for _, name := range s.Missing {
			missing[name]++
		}
	}
	for i := range b.want.Suites {
		s := &b.want.Suites[i]
		s.Missing = slices.DeleteFunc(slices.Clone(s.Missing), func(name string) bool {
			return strings.Contains(name, "*") && missing[name] < len(b.want.Suites)
		})
	}
}

func (b *build) resolveSuite(ctx context.Context, s *Suite) error {
	a, err := b.open(ctx, s)
	if err != nil {
		return err
	}
	known := aptrepo.Suite{Codename: s.Codename, Arch: s.Arch}
	resolver := &resolver{root: a, missing: map[string]bool{}, comes: map[string]found{}}
	if err := resolver.required(ctx, s); err != nil {
		return err
	}
	if err := resolver.optional(ctx, append(b.byHand(s), s.Extra...)); err != nil {
		return err
	}
	if !b.r.offline() {
		if err := resolver.together(ctx, base); err != nil {
			return fmt.Errorf("the base system: %w", err)
		}
	}
	for name := range resolver.missing {
		known.Missing = append(known.Missing, name)
	}
	slices.Sort(known.Missing)
	known.Sets = b.keptSets(s)
	if err := b.enter(ctx, a, s, &known, resolver.found()); err != nil {
		return err
	}
	b.want.SetSuite(known)
	return nil
}

// keptSets are the sets that the suite is good for: those that are wanted, and unless it is pruned
// those that were.
func (b *build) keptSets(s *Suite) []aptrepo.Set {
	sets := s.sets()
	if b.have != nil && !b.r.Prune {
		if known := b.have.Suite(s.Codename, s.Arch); known != nil {
			for _, set := range known.Sets {
				if !slices.ContainsFunc(sets, func(have aptrepo.Set) bool { return have.Key() == set.Key() }) {
					sets = append(sets, set)
				}
			}
		}
	}
	slices.SortFunc(sets, func(x, y aptrepo.Set) int { return strings.Compare(x.Key(), y.Key()) })
	return sets
}

// byHand are the names of the packages that were added by hand and fit the suite.
func (b *build) byHand(s *Suite) []string {
	var names []string
	for i := range b.want.Packages {
		p := &b.want.Packages[i]
		if isByHand(p) && (p.Arch == s.Arch || p.Arch == "all") {
			names = append(names, p.Name)
		}
	}
	return slices.Compact(names)
}

// isByHand tells whether a package came from the controller or by its address.
func isByHand(p *aptrepo.Package) bool {
	return p.Origin == aptrepo.OriginOwn || strings.Contains(p.Origin, "://")
}

// enter takes what was found into the manifest, and notes what has to be fetched.
func (b *build) enter(ctx context.Context, a *root, s *Suite, known *aptrepo.Suite, all []found) error {
	b.fetches[s.Codename+"/"+s.Arch] = nil
	var unknown []found
	for _, f := range all {
		known.Newest = append(known.Newest, f.id())
		if b.want.Find(f.id()) == nil || b.lost[f.id()] {
			unknown = append(unknown, f)
		}
	}
	slices.Sort(known.Newest)
	var described map[string]deb.Package
	if len(unknown) > 0 {
		var err error
		if described, err = a.describe(ctx, unknown); err != nil {
			return err
		}
	}
	for _, f := range all {
		p := b.want.Find(f.id())
		switch {
		case p == nil:
			if err := b.want.Add(aptrepo.New(described[f.id()], s.Codename, f.origin)); err != nil {
				return err
			}
			b.fetches[s.Codename+"/"+s.Arch] = append(b.fetches[s.Codename+"/"+s.Arch], f)
		case b.lost[f.id()]:
			if d := described[f.id()]; d.SHA256 != p.SHA256 {
				return fmt.Errorf("the file of %s is lost, and the sources have another one of that version now", f.id())
			}
			delete(b.lost, f.id())
			b.fetches[s.Codename+"/"+s.Arch] = append(b.fetches[s.Codename+"/"+s.Arch], f)
		default:
			if err := b.want.Add(aptrepo.Package{
				Name: p.Name, Version: p.Version, Arch: p.Arch, SHA256: p.SHA256, Suites: []string{s.Codename},
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropLost takes out of the manifest what cannot be had again: older versions whose files are gone.
// What is still wanted and cannot be had is an error.
func (b *build) dropLost() error {
	var needed []string
	b.want.Packages = slices.DeleteFunc(b.want.Packages, func(p aptrepo.Package) bool {
		if b.lost[p.ID()] && (isByHand(&p) || b.misses(&p)) {
			needed = append(needed, p.File)
		}
		return b.lost[p.ID()]
	})
	if len(needed) > 0 {
		return fmt.Errorf("the files of these packages are gone or damaged, and no source has them: %s; unpack the bundle that they came with, or give them again with --packages", strings.Join(needed, ", "))
	}
	return nil
}

// misses tells whether a suite that the package is for wants one of its name in vain.
func (b *build) misses(p *aptrepo.Package) bool {
	return slices.ContainsFunc(b.want.Suites, func(s aptrepo.Suite) bool { return p.For(&s) && slices.Contains(s.Missing, p.Name) })
}

// fetch gets the packages that are lacking and puts them into the pool.
func (b *build) fetch(ctx context.Context) error {
	for i := range b.r.Suites {
		s := &b.r.Suites[i]
		name := s.Codename + "/" + s.Arch
		wanted := slices.DeleteFunc(slices.Clone(b.fetches[name]), func(f found) bool { return inPool(b.h, b.r.Path, b.want.Find(f.id())) })
		if len(wanted) == 0 {
			continue
		}
		a := b.roots[name]
		if err := a.download(ctx, wanted); err != nil {
			return fmt.Errorf("fetch packages for %s: %w", name, resource.ExplainApt(err))
		}
		for _, f := range wanted {
			if err := putInPool(b.h, b.r.Path, b.want.Find(f.id()), a.archive(f)); err != nil {
				return err
			}
		}
	}
	return nil
}

// complete adds what only the order of installation asks for: which of several packages apt takes to
// fulfil a wish depends on what it finds on a node.
func (b *build) complete(ctx context.Context) error {
	for i := range b.r.Suites {
		s := &b.r.Suites[i]
		known := b.want.Suite(s.Codename, s.Arch)
		a := b.roots[s.Codename+"/"+s.Arch]
		if a == nil {
			continue
		}
		more, err := a.sequences(ctx, s, known.Missing)
		if err != nil {
			return err
		}
		more = slices.DeleteFunc(more, func(f found) bool { return slices.Contains(known.Newest, f.id()) })
		suite := *known
		if err := b.enter(ctx, a, s, &suite, more); err != nil {
			return err
		}
		b.want.SetSuite(suite)
	}
	return b.fetch(ctx)
}

// tidy removes what was fetched and is in the pool now, and what apt makes again from its lists.
func (b *build) tidy() error {
	var failed []error
	for _, a := range b.roots {
		failed = append(failed, removeFolder(b.h, path.Join(a.dir, "archives")))
		for _, cache := range []string{"pkgcache.bin", "srcpkgcache.bin"} {
			failed = append(failed, removeFolder(b.h, path.Join(a.dir, cache)))
		}
	}
	failed = append(failed, removeFolder(b.h, path.Join(cacheDir, b.r.Label, "staged")), removeFolder(b.h, spool))
	return errors.Join(failed...)
}
