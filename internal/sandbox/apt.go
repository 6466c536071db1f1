package sandbox

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// source is one archive of an apt configuration.
type source struct {
	types, uris, suites, components []string
	signedBy                        string
}

// archive is a part of Debian's own archive, for one release.
type archive struct {
	uri, suite string
	components []string
}

func (a archive) line() string {
	return fmt.Sprintf("deb [signed-by=%s] %s %s %s", debianKeyring, a.uri, a.suite, strings.Join(a.components, " "))
}

// hostArchives returns the parts of the Debian archive that the host uses itself (the release, its
// updates, its security fixes) for the wanted release, from the same mirrors.
func hostArchives(root, release string) ([]archive, error) {
	sources, err := readSources(filepath.Join(root, "etc/apt"))
	if err != nil {
		return nil, err
	}
	found := map[string]archive{}
	for _, s := range sources {
		for _, a := range s.debianArchives(release) {
			if _, ok := found[a.suite]; !ok {
				found[a.suite] = a
			}
		}
	}
	if _, ok := found[release]; !ok {
		return nil, fmt.Errorf("no Debian mirror found in /etc/apt: nodes are made from the host's own mirror; " +
			"add a deb line for it, signed by " + debianKeyring)
	}
	suites := slices.Sorted(maps.Keys(found))
	archives := make([]archive, len(suites))
	for i, suite := range suites {
		archives[i] = found[suite]
	}
	return archives, nil
}

var debianSuite = regexp.MustCompile(`^(buster|bullseye|bookworm|trixie|forky|duke|stable|testing|oldstable)(-updates|-security)?$`)

// debianArchives translates a source to another release. Sources that others publish for Debian
// carry a key of their own, have no main component or do not have debian in their path.
func (s source) debianArchives(release string) []archive {
	if !slices.Contains(s.types, "deb") || !slices.Contains(s.components, "main") {
		return nil
	}
	if s.signedBy != "" && !strings.Contains(s.signedBy, "debian-archive") {
		return nil
	}
	var archives []archive
	for _, uri := range s.uris {
		if s.signedBy == "" && !strings.Contains(uri, "debian") {
			continue
		}
		for _, suite := range s.suites {
			if m := debianSuite.FindStringSubmatch(suite); m != nil {
				archives = append(archives, archive{uri, release + m[2], s.components})
			}
		}
	}
	return archives
}

func readSources(dir string) ([]source, error) {
	files, err := filepath.Glob(filepath.Join(dir, "sources.list.d/*"))
	if err != nil {
		return nil, err
	}
	var all []source
	for _, path := range append([]string{filepath.Join(dir, "sources.list")}, files...) {
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read apt sources: %w", err)
		}
		switch filepath.Ext(path) {
		case ".list":
			all = append(all, parseOneLine(string(text))...)
		case ".sources":
			all = append(all, parseStanzas(string(text))...)
		}
	}
	return all, nil
}

// parseOneLine reads the form "deb [option=value …] uri suite component …".
func parseOneLine(text string) []source {
	var all []source
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		s := source{types: []string{kind}}
		if rest = strings.TrimSpace(rest); strings.HasPrefix(rest, "[") {
			var options string
			options, rest, _ = strings.Cut(rest[1:], "]")
			for _, option := range strings.Fields(options) {
				if value, ok := strings.CutPrefix(option, "signed-by="); ok {
					s.signedBy = value
				}
			}
		}
		if f := strings.Fields(rest); len(f) >= 3 {
			s.uris, s.suites, s.components = f[:1], f[1:2], f[2:]
			all = append(all, s)
		}
	}
	return all
}

// parseStanzas reads the deb822 form: fields "Name: value", continued on indented lines, stanzas
// separated by blank lines.
func parseStanzas(text string) []source {
	var all []source
	fields, last := map[string]string{}, ""
	flush := func() {
		if fields["enabled"] != "no" && fields["uris"] != "" {
			all = append(all, source{
				types: strings.Fields(fields["types"]), uris: strings.Fields(fields["uris"]),
				suites: strings.Fields(fields["suites"]), components: strings.Fields(fields["components"]),
				signedBy: fields["signed-by"],
			})
		}
		fields, last = map[string]string{}, ""
	}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		name, value, isField := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.TrimSpace(line) == "":
			flush()
		case line[0] == ' ' || line[0] == '\t':
			fields[last] += " " + strings.TrimSpace(line)
		case isField:
			last = strings.ToLower(name)
			fields[last] = strings.TrimSpace(value)
		}
	}
	flush()
	return all
}

// carried are the host's apt settings without which its mirror may not be usable from a node.
var carried = regexp.MustCompile(`^Acquire::(Check-Valid-Until|Check-Date|https?::Proxy|https?::Timeout) "(.*)";$`)

// hostAptOptions returns those settings as lines of an apt.conf file.
func hostAptOptions(ctx context.Context) ([]string, error) {
	dump, err := run(ctx, "apt-config", "dump")
	if err != nil {
		return nil, err
	}
	var options []string
	for line := range strings.Lines(dump) {
		if line = strings.TrimSpace(line); carried.MatchString(line) {
			options = append(options, line)
		}
	}
	return options, nil
}
