// Package repository makes a package repository for apt on a node: it has the node's own apt find
// out which packages are needed, fetch and check them, and keeps what apt needs to install them
// elsewhere without any other source.
package repository

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pigsty/internal/aptrepo"
	"pigsty/internal/fact"
	"pigsty/internal/resource"
)

var (
	_ resource.Resource  = (*Repository)(nil)
	_ resource.Publisher = (*Repository)(nil)
	_                    = resource.Register(func() resource.Resource { return &Repository{} })
)

// Repository is a package repository that has all that its suites want, with everything that depends
// on. What it has and nobody wants any more stays until it is told to prune.
type Repository struct {
	Path  string `json:"path"`  // its folder, such as /www/pigsty
	Label string `json:"label"` // its name, and that of the key's file
	Key   string `json:"key"`   // public key of the signatures, in ASCII armor
	// Suites are what is wanted, for each release and architecture.
	Suites []Suite `json:"suites"`
	// OwnSources has the sources of the node itself serve; for another release than the node's, those
	// that the suite brings.
	OwnSources bool       `json:"own_sources,omitempty"`
	Upstreams  []Upstream `json:"upstreams,omitempty"`
	// Refresh looks for newer versions of all that is there; otherwise only what is lacking is
	// fetched, and a repository that has all is left alone.
	Refresh bool `json:"refresh,omitempty"`
	// Prune drops what is not needed any more: older versions, and packages that nobody wants.
	Prune bool `json:"prune,omitempty"`
	// Files are packages that come from the controller, each a supply of the step under its name.
	Files []File `json:"files,omitempty"`
	// Downloads are packages that are fetched by their addresses.
	Downloads []Download `json:"downloads,omitempty"`
}

// Suite is what is wanted for one release of Debian on one architecture.
type Suite struct {
	Codename string `json:"codename"` // such as trixie
	Arch     string `json:"arch"`     // as Debian names it, such as amd64
	// Profiles are the nodes, each as the sets that are installed on it one after another; nodes that
	// are alike share one.
	Profiles [][]aptrepo.Set `json:"profiles"`
	// Optional are packages that are gone without where no source has them: whoever installs them
	// says so.
	Optional []string `json:"optional,omitempty"`
	// Extra are further packages, each by itself; * stands for any text.
	Extra []string `json:"extra,omitempty"`
	// Places say where the inventory wants a package, by its name.
	Places map[string]string `json:"places,omitempty"`
	// Sources are those of a node that has the release; nil where the repository's own node has it.
	Sources *fact.AptSources `json:"sources,omitempty"`
}

// Upstream is a further source of packages.
type Upstream struct {
	Name string `json:"name"`
	// Lines are address, suite and components, as in a line of apt's; the first that can be reached
	// serves. ${distro_codename} stands for the release.
	Lines []string `json:"lines"`
	// Key is a public key in ASCII armor, or the path of one; empty trusts those of the system.
	Key string `json:"key,omitempty"`
	// Trusted checks no signatures.
	Trusted bool `json:"trusted,omitempty"`
	// Optional goes on without it when it cannot be reached.
	Optional bool `json:"optional,omitempty"`
	// Codenames and Archs are what it is for; empty for all.
	Codenames []string `json:"codenames,omitempty"`
	Archs     []string `json:"archs,omitempty"`
}

// File is a package on the controller.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// Download is a package to be fetched by its address.
type Download struct {
	URL    string `json:"url"`
	SHA256 string `json:"sha256,omitempty"` // what it must be; empty takes what comes
	Place  string `json:"place,omitempty"`  // where the inventory names it
}

func (r *Repository) Kind() string { return "repository" }
func (r *Repository) Name() string { return r.Path }

// Publishes is true: every change has new indexes.
func (r *Repository) Publishes() bool { return true }

// offline is true when there is no source to fetch from.
func (r *Repository) offline() bool { return !r.OwnSources && len(r.Upstreams) == 0 }

// Diff tells which packages would come and go. Where all that is wanted is there it reads the
// manifest and looks at every file, and starts no process; otherwise it asks apt, in a folder of its
// own, what would have to be fetched.
func (r *Repository) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	have, err := load(h, r.Path)
	if err != nil {
		return nil, err
	}
	c := &resource.Change{Action: resource.Update}
	if have == nil {
		c.Action = resource.Create
	}
	damaged, err := inspect(h, r.Path, have)
	if err != nil {
		return nil, err
	}
	for _, problem := range damaged {
		c.Add(problem.path, problem.what, problem.want)
	}
	r.diffKey(h, have, c)
	if coming := r.coming(have); len(coming) > 0 {
		// They are not on the node yet, so nobody can tell what they bring along.
		for _, name := range coming {
			c.Add(name, "", "added")
		}
		return c, nil
	}
	if r.pending(have) || len(lost(damaged)) > 0 {
		b := newBuild(r, h, have)
		b.lost = lost(damaged)
		if err := b.resolve(ctx); err != nil {
			h.Note("what has to be fetched for the package repository cannot be told yet: %v", err)
			c.Add("packages", count(have), "all that are wanted")
			return c, nil
		}
		b.describe(c)
	} else if have != nil {
		r.diffPrune(have, c)
	}
	r.tellMissing(h, have)
	return c.OrNil(), nil
}

// pending tells whether apt has to be asked: something is wanted that was not before, or newer
// versions are looked for.
func (r *Repository) pending(have *aptrepo.Manifest) bool {
	if have == nil || r.Refresh {
		return true
	}
	for i := range r.Suites {
		s := &r.Suites[i]
		known := have.Suite(s.Codename, s.Arch)
		if known == nil || slices.ContainsFunc(s.sets(), func(set aptrepo.Set) bool { return !known.Has(set) }) {
			return true
		}
	}
	return false
}

// coming are the packages that are to be added by hand and are not there.
func (r *Repository) coming(have *aptrepo.Manifest) []string {
	var coming []string
	for _, f := range r.Files {
		if !hasFile(have, f.SHA256) {
			coming = append(coming, f.Name)
		}
	}
	for _, d := range r.Downloads {
		if !hasDownload(have, d) {
			coming = append(coming, d.URL)
		}
	}
	return coming
}

func hasFile(have *aptrepo.Manifest, sum string) bool {
	return have != nil && slices.ContainsFunc(have.Packages, func(p aptrepo.Package) bool { return p.SHA256 == sum })
}

func hasDownload(have *aptrepo.Manifest, d Download) bool {
	return have != nil && slices.ContainsFunc(have.Packages, func(p aptrepo.Package) bool {
		return p.Origin == d.URL && (d.SHA256 == "" || d.SHA256 == p.SHA256)
	})
}

// sets are all that the suite wants, each once.
func (s *Suite) sets() []aptrepo.Set {
	var all []aptrepo.Set
	for _, profile := range s.Profiles {
		all = append(all, profile...)
	}
	for _, name := range s.Extra {
		all = append(all, aptrepo.Set{Packages: []string{name}})
	}
	return distinct(all)
}

// distinct are the sets that have anything in them, each once.
func distinct(sets []aptrepo.Set) []aptrepo.Set {
	var all []aptrepo.Set
	seen := map[string]bool{}
	for _, set := range sets {
		if key := set.Key(); len(set.Packages) > 0 && !seen[key] {
			seen[key] = true
			all = append(all, set)
		}
	}
	return all
}

// diffKey tells of a key that is not the one the indexes are signed with.
func (r *Repository) diffKey(h *resource.Host, have *aptrepo.Manifest, c *resource.Change) {
	if have == nil {
		return
	}
	if !signedWith(h, r.Path, r.Key) {
		c.Add("signatures", "of another key", "of the deployment's key")
	}
	c.Add("name", have.Name, r.Label)
}

// diffPrune tells what pruning would drop where nothing else is to be done.
func (r *Repository) diffPrune(have *aptrepo.Manifest, c *resource.Change) {
	if !r.Prune {
		return
	}
	for _, p := range have.Clone().Prune() {
		c.Add(p.ID(), size(p.Size), "removed")
	}
}

// tellMissing notes packages that are wanted and that no source had.
func (r *Repository) tellMissing(h *resource.Host, have *aptrepo.Manifest) {
	if have == nil {
		return
	}
	for i := range r.Suites {
		s := &r.Suites[i]
		if known := have.Suite(s.Codename, s.Arch); known != nil {
			s.tellMissing(h, known.Missing, r.offline())
		}
	}
}

// tellMissing notes which of the names the suite wants in vain.
func (s *Suite) tellMissing(h *resource.Host, missing []string, offline bool) {
	for _, name := range missing {
		place, wanted := s.wants(name)
		if !wanted || slices.Contains(s.Optional, name) {
			continue
		}
		if offline {
			h.Note("%spackage %s is not in the repository for %s/%s, and repo_upstreams is empty: unpack a bundle that has it, or give a source", place, name, s.Codename, s.Arch)
			continue
		}
		h.Note("%spackage %s is in no source for %s/%s: check the spelling, or add a source that has it to repo_upstreams", place, name, s.Codename, s.Arch)
	}
}

// Apply fetches what is lacking, then puts new indexes in the place of the old ones in one step. A
// node that asks meanwhile finds the old state or the new one, whole.
func (r *Repository) Apply(ctx context.Context, h *resource.Host) error {
	have, err := load(h, r.Path)
	if err != nil {
		return err
	}
	if err := mend(h, r.Path, have); err != nil {
		return err
	}
	damaged, err := inspect(h, r.Path, have)
	if err != nil {
		return err
	}
	b := newBuild(r, h, have)
	b.lost = lost(damaged)
	if err := b.takeIn(ctx); err != nil {
		return err
	}
	if b.added || r.pending(have) || len(b.lost) > 0 {
		if err := b.resolve(ctx); err != nil {
			return err
		}
		if err := b.fetch(ctx); err != nil {
			return err
		}
	}
	var dropped []aptrepo.Package
	if r.Prune {
		dropped = b.want.Prune()
	}
	err = b.publish(ctx)
	if _, incomplete := errors.AsType[*incompleteError](err); incomplete && !r.offline() {
		if err := b.complete(ctx); err != nil {
			return err
		}
		err = b.publish(ctx)
	}
	if err != nil {
		return err
	}
	for i := range r.Suites {
		s := &r.Suites[i]
		s.tellMissing(h, b.want.Suite(s.Codename, s.Arch).Missing, r.offline())
	}
	return errors.Join(dropFiles(h, r.Path, b.want, dropped), b.tidy())
}

// describe tells what the build changes, package by package as far as people read.
func (b *build) describe(c *resource.Change) {
	if b.r.Prune {
		defer func(want *aptrepo.Manifest) { b.want = want }(b.want)
		b.want = b.want.Clone()
		b.want.Prune()
	}
	before, after := ids(b.have), ids(b.want)
	var lines []resource.Field
	var bytes int64
	for _, id := range slices.Sorted(maps.Keys(after)) {
		if p := after[id]; before[id] == nil {
			bytes += p.Size
			lines = append(lines, resource.Field{Name: p.Name + ":" + p.Arch, Before: older(b.have, p), After: p.Version})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(before)) {
		if p := before[id]; after[id] == nil {
			lines = append(lines, resource.Field{Name: p.Name + ":" + p.Arch, Before: p.Version, After: "removed"})
		}
	}
	c.Add("packages", count(b.have), count(b.want))
	if bytes > 0 {
		c.Add("to fetch", "", size(bytes))
	}
	const shown = 20
	if len(lines) > shown && b.have == nil {
		lines = nil // of a new repository it is all of them
	}
	more := len(lines) - shown
	c.Fields = append(c.Fields, lines[:min(shown, len(lines))]...)
	if more > 0 {
		c.Fields = append(c.Fields, resource.Field{Name: "and", After: fmt.Sprintf("%d more", more)})
	}
	for i := range b.r.Suites {
		s := &b.r.Suites[i]
		is := b.want.Suite(s.Codename, s.Arch)
		var was *aptrepo.Suite
		if b.have != nil {
			was = b.have.Suite(s.Codename, s.Arch)
		}
		c.Add(s.Codename+"/"+s.Arch, describeSuite(was), describeSuite(is))
		s.tellMissing(b.h, is.Missing, b.r.offline())
	}
}

func describeSuite(s *aptrepo.Suite) string {
	if s == nil {
		return ""
	}
	names := map[string]bool{}
	for _, set := range s.Sets {
		for _, name := range set.Packages {
			names[name] = true
		}
	}
	text := fmt.Sprintf("%d sets of %d packages that are asked for", len(s.Sets), len(names))
	if len(s.Missing) > 0 {
		text += ", without " + strings.Join(s.Missing, " ")
	}
	return text
}

// older is the newest version of the same package that was there before; empty when none was.
func older(have *aptrepo.Manifest, p *aptrepo.Package) string {
	version := ""
	if have == nil {
		return version
	}
	for _, o := range have.Packages {
		if o.Name == p.Name && o.Arch == p.Arch {
			version = o.Version // they are sorted
		}
	}
	return version
}

func ids(m *aptrepo.Manifest) map[string]*aptrepo.Package {
	all := map[string]*aptrepo.Package{}
	if m == nil {
		return all
	}
	for i := range m.Packages {
		all[m.Packages[i].ID()] = &m.Packages[i]
	}
	return all
}

func count(m *aptrepo.Manifest) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf("%d files, %s", len(m.Packages), size(m.Size()))
}

func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%d kB", (bytes+999)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}
