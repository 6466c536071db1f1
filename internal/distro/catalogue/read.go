package main

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"pigsty/internal/distro"
)

// pack is a package as the node tells it.
type pack struct {
	name, version, depends, description string
	controls                            []control
	alternatives                        []string // names that its control files have besides
	libraries                           []string
	mentions                            []string // libraries that mention shared_preload_libraries
}

// control is a control file.
type control struct {
	name   string
	fields map[string]string
}

// read makes a catalogue of what collect.sh tells. Unknown are libraries that somebody has to say
// in knowledge.table whether they need to be loaded.
func read(told string, release int, k *knowledge) (c *distro.Catalogue, unknown []string, err error) {
	packs, err := parse(told)
	if err != nil {
		return nil, nil, err
	}
	c = &distro.Catalogue{Release: release, Postgres: distro.Postgres(release), Libraries: map[string]string{}}
	server := fmt.Sprintf("postgresql-%d", c.Postgres)
	for _, p := range packs {
		for _, library := range p.libraries {
			c.Libraries[library] = p.name
			if p.name == server {
				c.Libraries[library] = ""
			}
		}
		for _, library := range p.mentions {
			// A library with its version in its name is one that another loads.
			if !k.says(library) && !versioned.MatchString(library) && len(p.controls) > 0 {
				unknown = append(unknown, library)
			}
		}
		c.Extensions = append(c.Extensions, extensions(p, packs, server, k)...)
	}
	slices.SortFunc(c.Extensions, func(a, b distro.Extension) int { return cmp.Compare(a.Name, b.Name) })
	for n := 1; n < len(c.Extensions); n++ {
		if c.Extensions[n].Name == c.Extensions[n-1].Name {
			return nil, nil, fmt.Errorf("two packages bring %s", c.Extensions[n].Name)
		}
	}
	return c, unknown, nil
}

var versioned = regexp.MustCompile(`-[0-9.]+$`)

// extensions are those of a package, or its library where it has no extension.
func extensions(p pack, packs []pack, server string, k *knowledge) []distro.Extension {
	var all []distro.Extension
	for _, c := range p.controls {
		// NAME--VERSION is what one version of NAME has otherwise.
		if k.leave[c.name] || strings.Contains(c.name, "--") {
			continue
		}
		e := c.extension(p)
		e.Packages, e.Summary = bringers(p, packs, server), cmp.Or(e.Summary, p.description)
		e.Preload, e.First, e.Settings = k.preload[e.Name], k.first[e.Name], k.setting[e.Name]
		all = append(all, e)
	}
	for _, library := range p.libraries {
		summary, own := k.library[library]
		if p.name != server {
			summary, own = p.description, len(all) == 0 && !versioned.MatchString(library) && !strings.Contains(library, ".")
		}
		if own {
			e := distro.Extension{Name: library, Library: true, Version: upstream(p.version), Summary: summary, Packages: bringers(p, packs, server)}
			all = append(all, e)
		}
	}
	return all
}

// extension is what a control file says.
func (c control) extension(p pack) distro.Extension {
	e := distro.Extension{
		Name: c.name, Version: c.fields["default_version"], Summary: c.fields["comment"], Schema: c.fields["schema"],
		Relocatable: c.fields["relocatable"] == "true", Creator: distro.BySuperuser,
	}
	if stem := versioned.ReplaceAllString(c.name, ""); slices.Contains(p.alternatives, stem) {
		e.Name = stem
	}
	switch {
	case c.fields["superuser"] == "false":
		e.Creator = distro.ByAnybody
	case c.fields["trusted"] == "true":
		e.Creator = distro.ByTrusted
	}
	for name := range strings.SplitSeq(c.fields["requires"], ",") {
		if name = strings.TrimSpace(name); name != "" {
			e.Requires = append(e.Requires, name)
		}
	}
	return e
}

// bringers are the packages to install for what lies in one. Scripts stand in a package of their
// own beside their libraries', which depends on it or not.
func bringers(p pack, packs []pack, server string) []string {
	if p.name == server {
		return nil
	}
	stem, scripts := strings.CutSuffix(p.name, "-scripts")
	n := slices.IndexFunc(packs, func(o pack) bool { return o.name == stem })
	switch {
	case !scripts || n < 0:
		return []string{p.name}
	case strings.Contains(packs[n].depends, p.name):
		return []string{stem}
	}
	return []string{stem, p.name}
}

// upstream is a package's version without Debian's part.
func upstream(version string) string {
	if _, rest, epoch := strings.Cut(version, ":"); epoch {
		version = rest
	}
	if n := strings.LastIndexByte(version, '-'); n > 0 {
		version = version[:n]
	}
	return version
}

// parse reads the lines that collect.sh writes.
func parse(told string) ([]pack, error) {
	var packs []pack
	for line := range strings.Lines(told) {
		line = strings.TrimRight(line, "\n")
		word, rest, _ := strings.Cut(line, " ")
		if word == "package" {
			packs = append(packs, pack{name: rest})
			continue
		}
		if line == "" {
			continue
		}
		if len(packs) == 0 || !packs[len(packs)-1].add(word, strings.TrimSpace(rest)) {
			return nil, fmt.Errorf("cannot read %q", line)
		}
	}
	return packs, nil
}

// add takes in a line: its first word, and the rest. No word begins a control file's line.
func (p *pack) add(word, rest string) bool {
	switch word {
	case "Version:":
		p.version = rest
	case "Depends:":
		p.depends = rest
	case "Description:":
		p.description = rest
	case "control":
		p.controls = append(p.controls, control{rest, map[string]string{}})
	case "alternative":
		p.alternatives = append(p.alternatives, rest)
	case "library":
		name, mentions, _ := strings.Cut(rest, " ")
		p.libraries = append(p.libraries, name)
		if mentions != "" {
			p.mentions = append(p.mentions, name)
		}
	case "":
		if len(p.controls) == 0 {
			return false
		}
		maps.Copy(p.controls[len(p.controls)-1].fields, setting(rest))
	default:
		return false
	}
	return true
}

// setting reads "name = value" as PostgreSQL does: a value may be quoted, and a comment follow it.
func setting(line string) map[string]string {
	name, value, given := strings.Cut(line, "=")
	if !given || strings.HasPrefix(line, "#") {
		return nil
	}
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, "'") {
		var b strings.Builder
		for rest := value[1:]; rest != ""; rest = rest[1:] {
			if rest[0] == '\'' {
				if len(rest) == 1 || rest[1] != '\'' {
					break
				}
				rest = rest[1:]
			}
			b.WriteByte(rest[0])
		}
		value = b.String()
	} else if before, _, comment := strings.Cut(value, "#"); comment {
		value = strings.TrimSpace(before)
	}
	return map[string]string{strings.TrimSpace(name): value}
}
