package repository

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pigsty/internal/aptrepo"
	"pigsty/internal/resource"
)

// resolver collects what installing sets brings.
type resolver struct {
	root    *root
	missing map[string]bool
	comes   map[string]found
	// unfit are sets that cannot be installed, with what apt says.
	unfit []error
}

func (r *resolver) found() []found {
	var all []found
	for _, f := range r.comes {
		all = append(all, f)
	}
	slices.SortFunc(all, func(x, y found) int { return strings.Compare(x.id(), y.id()) })
	return all
}

// required resolves what the nodes are to have. A set that cannot be installed is an error.
func (r *resolver) required(ctx context.Context, s *Suite) error {
	var sets []aptrepo.Set
	for _, profile := range s.Profiles {
		sets = append(sets, profile...)
	}
	if err := r.together(ctx, distinct(sets)); err != nil {
		return err
	}
	return errors.Join(r.unfit...)
}

// optional resolves packages each by itself. One that cannot be installed counts as missing.
func (r *resolver) optional(ctx context.Context, wishes []string) error {
	var sets []aptrepo.Set
	for _, wish := range wishes {
		names := []string{wish}
		if strings.Contains(wish, "*") && !strings.Contains(wish, "=") {
			var err error
			if names, err = r.root.matching(ctx, wish); err != nil {
				return resource.ExplainApt(err)
			}
			if len(names) == 0 {
				r.missing[wish] = true
			}
		}
		for _, name := range names {
			sets = append(sets, aptrepo.Set{Packages: []string{name}})
		}
	}
	if err := r.together(ctx, distinct(sets)); err != nil {
		return err
	}
	for _, failed := range r.unfit {
		if unfit, ok := errors.AsType[*unfitError](failed); ok {
			for _, name := range unfit.set.Packages {
				r.missing[name] = true
			}
		}
	}
	return nil
}

// unfitError is a set that apt cannot install.
type unfitError struct {
	set aptrepo.Set
	err error
}

func (e *unfitError) Error() string {
	return fmt.Sprintf("%s cannot be installed: %v", strings.Join(e.set.Packages, " "), e.err)
}

func (e *unfitError) Unwrap() error { return e.err }

// together resolves sets in one go, and in halves where they do not fit together: not all that is
// wanted has to be wanted on one node.
func (r *resolver) together(ctx context.Context, sets []aptrepo.Set) error {
	sets = r.known(sets)
	if len(sets) == 0 {
		return nil
	}
	for _, recommends := range []bool{false, true} {
		part := slices.DeleteFunc(slices.Clone(sets), func(s aptrepo.Set) bool { return s.Recommends != recommends })
		if err := r.part(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolver) part(ctx context.Context, sets []aptrepo.Set) error {
	sets = r.known(sets)
	if len(sets) == 0 {
		return nil
	}
	union := aptrepo.Set{Recommends: sets[0].Recommends}
	for _, set := range sets {
		union.Packages = append(union.Packages, set.Packages...)
	}
	comes, _, err := r.root.simulate(ctx, union)
	switch {
	case err == nil:
		for _, f := range comes {
			r.comes[f.id()] = f
		}
		return nil
	case len(resource.AptUnknown(err)) > 0:
		before := len(r.missing)
		for _, name := range resource.AptUnknown(err) {
			r.missing[name] = true
		}
		if len(r.missing) == before {
			return resource.ExplainApt(err)
		}
		return r.part(ctx, sets)
	case !resource.AptUnmet(err):
		return resource.ExplainApt(err)
	case len(sets) == 1:
		r.unfit = append(r.unfit, &unfitError{sets[0], resource.ExplainApt(err)})
		return nil
	}
	half := len(sets) / 2
	return errors.Join(r.part(ctx, sets[:half]), r.part(ctx, sets[half:]))
}

// known are the sets less the names that no source has.
func (r *resolver) known(sets []aptrepo.Set) []aptrepo.Set {
	var all []aptrepo.Set
	for _, set := range sets {
		set.Packages = slices.DeleteFunc(slices.Clone(set.Packages), func(name string) bool { return r.missing[name] })
		if len(set.Packages) > 0 {
			all = append(all, set)
		}
	}
	return all
}
