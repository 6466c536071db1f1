package view

import (
	"fmt"
	"io"
	"path"
	"strings"
	"text/tabwriter"

	"pigsty/internal/aptrepo"
	"pigsty/internal/controller"
	"pigsty/internal/resource"
)

// RepoPackages prints the packages of the local repository, a row each; only those that a pattern
// matches where there are any.
func RepoPackages(w io.Writer, states []controller.RepoState, patterns []string) error {
	for _, pattern := range patterns {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("pattern %q: %w", pattern, err)
		}
	}
	for i, s := range states {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if s.Manifest == nil {
			continue
		}
		repoPackages(w, s.Manifest, patterns)
		fmt.Fprintf(w, "\n%s on %s: %s\n", s.URL, s.Node, repoSummary(s.Manifest))
	}
	return nil
}

func repoPackages(w io.Writer, m *aptrepo.Manifest, patterns []string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PACKAGE\tVERSION\tARCH\tSIZE\tRELEASE\tORIGIN\tLICENCE\tSTATE")
	current := m.IsCurrent()
	for i := range m.Packages {
		p := &m.Packages[i]
		if !matches(p.Name, patterns) {
			continue
		}
		state := "current"
		if !current(p) {
			state = "former"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.Name, p.Version, p.Arch, resource.SizeText(p.Size),
			strings.Join(p.Suites, " "), p.Origin, p.Licence, state)
	}
	t.Flush()
}

func matches(name string, patterns []string) bool {
	for _, pattern := range patterns {
		if ok, err := path.Match(pattern, name); err == nil && ok {
			return true
		}
	}
	return len(patterns) == 0
}

// repoSummary says in one line what a repository holds.
func repoSummary(m *aptrepo.Manifest) string {
	var suites, missing []string
	for _, s := range m.Suites {
		suites = append(suites, s.Name())
		for _, name := range s.Missing {
			missing = append(missing, name+" for "+s.Name())
		}
	}
	text := fmt.Sprintf("%d packages, %s, for %s", len(m.Packages), resource.SizeText(m.Size()), strings.Join(suites, " and "))
	current, former := m.IsCurrent(), int64(0)
	for i := range m.Packages {
		if p := &m.Packages[i]; !current(p) {
			former += p.Size
		}
	}
	if former > 0 {
		text += fmt.Sprintf("; %s are of former versions, which pigsty repo build --prune drops", resource.SizeText(former))
	}
	if len(missing) > 0 {
		text += "; wanted and missing: " + strings.Join(missing, ", ")
	}
	return text
}

// RepoVerified prints what a check of the local repository has found.
func RepoVerified(w io.Writer, states []controller.RepoState) {
	for _, s := range states {
		if s.Manifest == nil {
			continue
		}
		for _, problem := range s.Problems {
			fmt.Fprintln(w, printable(problem))
		}
		verdict := "whole"
		if len(s.Problems) > 0 {
			verdict = fmt.Sprintf("not whole, %d problems", len(s.Problems))
		}
		fmt.Fprintf(w, "%s on %s is %s: %d files are as they were packaged; %s\n", s.URL, s.Node, verdict, s.Checked, repoSummary(s.Manifest))
	}
}

// Packed prints what was written into a bundle.
func Packed(w io.Writer, p *controller.Packed) {
	fmt.Fprintf(w, "%s: %d packages, %s\nSHA256 %s\nsigned by %s\n", p.Path, p.Packages, resource.SizeText(p.Size), p.SHA256, p.Fingerprint)
}
