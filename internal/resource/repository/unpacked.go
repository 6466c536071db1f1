package repository

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"

	"pigsty/internal/aptrepo"
	"pigsty/internal/resource"
)

var (
	_ resource.Resource  = (*Unpacked)(nil)
	_ resource.Publisher = (*Unpacked)(nil)
	_                    = resource.Register(func() resource.Resource { return &Unpacked{} })
)

// Unpacked is a package repository that has all that a bundle has. The packages are supplies of the
// step, by their paths; those that are there already are not read.
type Unpacked struct {
	Path   string            `json:"path"`
	Label  string            `json:"label"`
	Key    string            `json:"key"` // public key of the signatures, in ASCII armor
	Bundle *aptrepo.Manifest `json:"bundle"`
}

func (u *Unpacked) Kind() string { return "repository_bundle" }
func (u *Unpacked) Name() string { return u.Path }

// Publishes is true: what was unpacked is signed with the deployment's own key.
func (u *Unpacked) Publishes() bool { return true }

// Diff tells which packages would come.
func (u *Unpacked) Diff(_ context.Context, h *resource.Host) (*resource.Change, error) {
	have, err := load(h, u.Path)
	if err != nil {
		return nil, err
	}
	want, err := u.merged(have)
	if err != nil {
		return nil, err
	}
	b := &build{r: &Repository{Path: u.Path, Label: u.Label, Key: u.Key}, step: u, h: h, have: have, want: want}
	if same, err := b.unchanged(); err != nil {
		return nil, err
	} else if same {
		damaged, err := inspect(h, u.Path, have)
		if err != nil || len(lost(damaged)) == 0 {
			return nil, err
		}
	}
	c := &resource.Change{Action: resource.Update}
	if have == nil {
		c.Action = resource.Create
	}
	b.describe(c)
	for _, s := range want.Suites {
		var was *aptrepo.Suite
		if have != nil {
			was = have.Suite(s.Codename, s.Arch)
		}
		c.Add(s.Name(), describeSuite(was), describeSuite(&s))
	}
	return c, nil
}

// merged is what there is with what the bundle has. Of a suite that both have, the bundle's packages
// are the newest ones; what was resolved before can still be installed, as nothing goes.
func (u *Unpacked) merged(have *aptrepo.Manifest) (*aptrepo.Manifest, error) {
	if have == nil {
		want := u.Bundle.Clone()
		want.Name = u.Label
		return want, nil
	}
	want := have.Clone()
	want.Name = u.Label
	if err := want.Add(u.Bundle.Packages...); err != nil {
		return nil, err
	}
	for _, s := range u.Bundle.Suites {
		known := want.Suite(s.Codename, s.Arch)
		if known == nil {
			want.SetSuite(s)
			continue
		}
		both := *known
		both.Sets = distinct(slices.Concat(known.Sets, s.Sets))
		both.Missing = slices.DeleteFunc(slices.Clone(known.Missing), func(name string) bool { return !slices.Contains(s.Missing, name) })
		both.Newest = slices.Compact(slices.Sorted(slices.Values(slices.Concat(known.Newest, s.Newest))))
		want.SetSuite(both)
	}
	return want, nil
}

// Apply takes the packages in and publishes them.
func (u *Unpacked) Apply(ctx context.Context, h *resource.Host) error {
	have, err := load(h, u.Path)
	if err != nil {
		return err
	}
	if err := mend(h, u.Path, have); err != nil {
		return err
	}
	want, err := u.merged(have)
	if err != nil {
		return err
	}
	for _, p := range u.Bundle.Packages {
		mine := want.Find(p.ID())
		if inPool(h, u.Path, mine) {
			continue
		}
		file := path.Join(spool, p.SHA256+".deb")
		if err := receive(ctx, h, u, File{Name: p.File, Size: p.Size, SHA256: p.SHA256}, file); err != nil {
			return err
		}
		if err := putInPool(h, u.Path, mine, file); err != nil {
			return err
		}
		if err := os.Remove(h.Path(file)); err != nil {
			return err
		}
	}
	b := &build{r: &Repository{Path: u.Path, Label: u.Label, Key: u.Key}, step: u, h: h, have: have, want: want}
	if err := b.publish(ctx); err != nil {
		return fmt.Errorf("publish what was unpacked: %w", err)
	}
	return errors.Join(removeFolder(h, spool))
}
