package repository

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"pigsty/internal/aptrepo"
	"pigsty/internal/resource"
)

// Query asks for the state of a node's repository.
type Query struct {
	Path  string `json:"path"`
	Label string `json:"label"`
	Key   string `json:"key"` // public key that it has to be signed with
	// Verify reads every file and has apt install everything in a folder of its own.
	Verify bool `json:"verify,omitempty"`
	// Suites are what it has to hold, for Verify.
	Suites []Suite `json:"suites,omitempty"`
}

// State is what a repository holds, and what is wrong with it.
type State struct {
	Manifest *aptrepo.Manifest `json:"manifest"` // nil when there is none
	Problems []string          `json:"problems"`
	// Checked are how many files were read and found right.
	Checked int `json:"checked"`
}

// Look reads a node's repository. It changes nothing.
func Look(ctx context.Context, h *resource.Host, q Query) (State, error) {
	s := State{Problems: []string{}}
	var err error
	if s.Manifest, err = load(h, q.Path); err != nil || s.Manifest == nil || !q.Verify {
		return s, err
	}
	if err := s.verifyFiles(h, q); err != nil {
		return s, err
	}
	if err := s.verifyIndexes(h, q); err != nil {
		return s, err
	}
	for i := range q.Suites {
		s.verifySuite(ctx, h, q, &q.Suites[i])
	}
	return s, ctx.Err()
}

func (s *State) problem(format string, args ...any) {
	s.Problems = append(s.Problems, fmt.Sprintf(format, args...))
}

// verifyFiles reads every package, whatever is known of it.
func (s *State) verifyFiles(h *resource.Host, q Query) error {
	known := map[string]bool{}
	for i := range s.Manifest.Packages {
		p := &s.Manifest.Packages[i]
		known[p.File] = true
		file := h.Path(path.Join(q.Path, p.File))
		info, err := os.Lstat(file)
		if err != nil {
			s.problem("%s is missing", p.File)
			continue
		}
		if what := damage(file, info, p); what != "" {
			s.problem("%s is not as it was packaged: %s", p.File, what)
			continue
		}
		s.Checked++
	}
	findings, err := inspectModes(h, q.Path)
	if err != nil {
		return err
	}
	for _, f := range findings {
		s.problem("%s has mode or owner %s, and needs %s to be served", f.path, f.what, f.want)
	}
	return eachFile(h, q.Path, func(file string, info fs.FileInfo) error {
		if !info.IsDir() && strings.HasPrefix(file, "pool/") && !known[file] {
			s.problem("%s is in no index; pigsty repo build --prune does not remove it, as it may be yours", file)
		}
		return nil
	})
}

// verifyIndexes compares each index with what the manifest says.
func (s *State) verifyIndexes(h *resource.Host, q Query) error {
	if !signedWith(h, q.Path, q.Key) {
		s.problem("the indexes are signed with another key than the deployment's: apply, or build it anew")
	}
	files, err := s.Manifest.Indexes(func(string, time.Time) (string, string, error) { return "", "", nil })
	if err != nil {
		return err
	}
	for file, want := range files {
		if path.Base(file) == "InRelease" || path.Base(file) == "Release.gpg" {
			continue // apt checks them below
		}
		have, err := os.ReadFile(h.Path(path.Join(q.Path, current, file)))
		if err != nil || string(have) != string(want) {
			s.problem("%s does not say what %s does", file, aptrepo.ManifestFile)
		}
	}
	return nil
}

// verifySuite has apt check the signatures and install everything that is wanted.
func (s *State) verifySuite(ctx context.Context, h *resource.Host, q Query, suite *Suite) {
	name := suite.Codename + "/" + suite.Arch
	known := s.Manifest.Suite(suite.Codename, suite.Arch)
	if known == nil {
		s.problem("there is nothing for %s, which nodes of the inventory have", name)
		return
	}
	for _, set := range suite.sets() {
		if !known.Has(set) {
			s.problem("it was not built for what is wanted together on %s: %s; apply, or build it anew", name, strings.Join(set.Packages, " "))
		}
	}
	for _, missing := range known.Missing {
		if place, wanted := suite.wants(missing); wanted && !slices.Contains(suite.Optional, missing) {
			s.problem("%spackage %s for %s is missing", place, missing, name)
		}
	}
	if err := checkSuite(ctx, h, q.Label, path.Join(q.Path, current), q.Key, suite, known.Missing); err != nil {
		s.problem("%s: %v", name, err)
	}
}

// wants tells whether a package is wanted by name, and where.
func (s *Suite) wants(name string) (place string, wanted bool) {
	for _, set := range s.sets() {
		for _, want := range set.Packages {
			if want == name {
				if place = s.Places[name]; place != "" {
					place += ": "
				}
				return place, true
			}
		}
	}
	return "", false
}
