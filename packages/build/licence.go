package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// writeLicences writes the licence of what the program is, and those of what it is made of.
func (r *recipe) writeLicences(ctx context.Context, g goCommand, mods []module, p program) error {
	own := g.dir
	for _, m := range mods {
		if m.Path == r.Build.Upstream {
			own = m.Dir
		}
	}
	texts, err := licenceTexts(own)
	if err != nil {
		return err
	}
	if len(texts) == 0 {
		return fmt.Errorf("no licence in %s", own)
	}
	if err := os.WriteFile(p.licence, []byte(strings.Join(texts, "\n")), 0o644); err != nil {
		return err
	}
	goroot, err := g.output(ctx, "env", "GOROOT")
	if err != nil {
		return err
	}
	goVersion, err := g.output(ctx, "env", "GOVERSION")
	if err != nil {
		return err
	}
	std := module{Path: "Go's standard library", Version: strings.TrimSpace(goVersion), Dir: strings.TrimSpace(goroot)}
	text, err := notices(append([]module{std}, mods...))
	if err != nil {
		return err
	}
	return os.WriteFile(p.notices, []byte(text), 0o644)
}

// licenceFile matches the names under which modules keep licences and notices.
var licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|copyright|notice|patents)([.-].*)?$`)

func licenceTexts(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, strings.TrimSpace(string(text))+"\n")
	}
	return out, nil
}

// notices lists modules with their licences, each text once.
func notices(mods []module) (string, error) {
	var out strings.Builder
	out.WriteString("Compiled into the program, each under its own licence, which follows the list:\n\n")
	users := make(map[string][]string) // of a text
	var texts []string
	for _, m := range mods {
		name := m.String()
		fmt.Fprintf(&out, "  %s\n", name)
		found, err := licenceTexts(m.Dir)
		if err != nil {
			return "", err
		}
		if len(found) == 0 {
			found = []string{"This module has no licence file of its own; see where it comes from.\n"}
		}
		for _, text := range found {
			if !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
			users[text] = append(users[text], name)
		}
	}
	for _, text := range texts {
		fmt.Fprintf(&out, "\n%s\n%s:\n\n%s", strings.Repeat("-", 78), strings.Join(users[text], ",\n"), text)
	}
	return out.String(), nil
}

// String names a module, and what is taken in its place.
func (m module) String() string {
	if m.Replace != nil {
		return strings.TrimSpace(fmt.Sprintf("%s %s, as %s %s", m.Path, m.Version, m.Replace.Path, m.Replace.Version))
	}
	return m.Path + " " + m.Version
}
