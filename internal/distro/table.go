package distro

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed tables
var files embed.FS

// table maps a wanted name to its line.
type table map[string]line

// line is what a table says of one name.
type line struct {
	packages []string
	missing  string // why the release cannot give it
}

// tables are the releases of Debian that are known.
var tables = map[int]table{
	12: read("debian.table", "debian12.table"),
	13: read("debian.table", "debian13.table"),
}

// read joins tables; a later one wins. Their form is described at the top of debian.table. A
// line that does not have it is a mistake in the program, found by the first test.
func read(names ...string) table {
	t := table{}
	for _, name := range names {
		data, err := files.ReadFile("tables/" + name)
		if err != nil {
			panic(err)
		}
		for text := range strings.Lines(string(data)) {
			text = strings.TrimSpace(text)
			if text == "" || strings.HasPrefix(text, "#") {
				continue
			}
			wanted, l, ok := parse(text)
			if !ok {
				panic(fmt.Sprintf("%s: cannot read %q", name, text))
			}
			t[wanted] = l
		}
	}
	return t
}

func parse(text string) (wanted string, l line, ok bool) {
	wanted, rest, more := strings.Cut(text, " ")
	if !more {
		return wanted, line{packages: []string{wanted}}, true
	}
	sign, rest, _ := strings.Cut(rest, " ")
	switch {
	case rest == "":
		return "", line{}, false
	case sign == "=":
		return wanted, line{packages: strings.Fields(rest)}, true
	case sign == "-":
		return wanted, line{}, true
	case sign == "!":
		return wanted, line{missing: rest}, true
	}
	return "", line{}, false
}

const versionMark = "${v}"

// versionDigits is a major version of PostgreSQL inside a name: two digits that no other digit
// touches, as in postgresql14, wal2json_14 and postgresql-17-cron.
var versionDigits = regexp.MustCompile(`(?:^|[^0-9])([1-9][0-9])(?:[^0-9]|$)`)

// resolve answers one name.
func (t table) resolve(name string, pgVersion int) Answer {
	version := strconv.Itoa(pgVersion)
	key := strings.ReplaceAll(name, "${pg_version}", versionMark)
	if l, known := t[key]; known {
		return Answer{Name: name, Packages: l.fill(version), Problem: l.missing}
	}
	l, written, known := t.withVersion(name)
	switch {
	case !known:
		return Answer{
			Name: name, Packages: []string{strings.ReplaceAll(key, versionMark, version)},
			Problem: "it is in no table of package names, and is installed by this name",
		}
	case l.missing == "" && written != version && !slices.Equal(l.fill(written), []string{name}):
		return Answer{
			Name: name, Packages: l.fill(version),
			Problem: fmt.Sprintf("it names PostgreSQL %s, and version %s is installed, which this node has", written, version),
		}
	}
	// Debian's own name, or the right version of v1.5's.
	return Answer{Name: name, Packages: l.fill(written), Problem: l.missing}
}

// fill writes the version into the packages.
func (l line) fill(version string) []string {
	var out []string
	for _, p := range l.packages {
		out = append(out, strings.ReplaceAll(p, versionMark, version))
	}
	return out
}

// withVersion looks a name up whose version is written out, as v1.5's postgresql14 is.
func (t table) withVersion(name string) (l line, version string, known bool) {
	for at := 0; at < len(name); at++ {
		m := versionDigits.FindStringSubmatchIndex(name[at:])
		if m == nil {
			break
		}
		from, to := at+m[2], at+m[3]
		if l, known = t[name[:from]+versionMark+name[to:]]; known {
			return l, name[from:to], true
		}
		at = to - 1
	}
	return line{}, "", false
}
