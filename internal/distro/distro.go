// Package distro knows what a wanted program is called in a distribution. Parameters name what
// is wanted, also by the names of v1.5's RPM packages; one table per release says which packages
// bring it.
package distro

import (
	"slices"
	"strconv"
	"strings"
)

// Answer is what became of one wanted name.
type Answer struct {
	Name     string   // as wanted, such as "pg_repack_${pg_version}"
	Packages []string // what to install; empty when there is nothing to
	// Problem says why what is wanted is not to be had as asked for; empty when all is well.
	Problem string
}

// newest is the release whose table serves a node that could not be asked for its own.
const newest = 13

// Postgres is the major version of PostgreSQL that a release of Debian packages.
func Postgres(release int) int {
	if release == 12 {
		return 15
	}
	return 17
}

// Codename is what Debian calls a release.
func Codename(release int) string {
	switch release {
	case 12:
		return "bookworm"
	case 13:
		return "trixie"
	}
	return "debian" + strconv.Itoa(release)
}

// Release is the release of Debian that Codename calls by the name, 0 for any other name.
func Release(codename string) int {
	for r := 12; r <= newest; r++ {
		if Codename(r) == codename {
			return r
		}
	}
	return 0
}

// archs are Debian's names of architectures where they are not Go's.
var archs = map[string]string{"386": "i386", "arm": "armhf", "ppc64le": "ppc64el"}

// Arch is what Debian calls an architecture that Go calls by that name.
func Arch(goArch string) string {
	if name, differs := archs[goArch]; differs {
		return name
	}
	return goArch
}

// Resolve answers each wanted name in turn. Entries may hold several names, separated by blanks
// or commas; ${pg_version} in them stands for pgVersion, and a pgVersion of 0 for the version
// that the release packages.
func Resolve(release int, wanted []string, pgVersion int) []Answer {
	if pgVersion == 0 {
		pgVersion = Postgres(release)
	}
	entries, known := tables[release]
	if !known {
		entries = tables[newest]
	}
	var answers []Answer
	for _, entry := range wanted {
		for _, name := range Names(entry) {
			answers = append(answers, entries.resolve(name, pgVersion))
		}
	}
	return answers
}

// Names splits an entry of a package list into the names it holds.
func Names(entry string) []string {
	return strings.FieldsFunc(entry, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\n' })
}

// Packages are the packages that bring what is wanted, each once, in the order of the wishes.
// Unmapped are the wishes that the plan must warn about: a name that no table has passes
// through as it is, and one that the release cannot give brings nothing. See Resolve for the
// form of a wish.
func Packages(release int, wanted []string, pgVersion int) (packages, unmapped []string) {
	for _, a := range Resolve(release, wanted, pgVersion) {
		for _, p := range a.Packages {
			if !slices.Contains(packages, p) {
				packages = append(packages, p)
			}
		}
		if a.Problem != "" && !slices.Contains(unmapped, a.Name) {
			unmapped = append(unmapped, a.Name)
		}
	}
	return packages, unmapped
}
