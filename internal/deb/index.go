package deb

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Sort puts packages in the order of an index: by name, then older versions first, then by
// architecture.
func Sort(packages []Package) {
	slices.SortFunc(packages, func(a, b Package) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), Compare(a.Version, b.Version),
			cmp.Compare(a.Version, b.Version), cmp.Compare(a.Architecture, b.Architecture))
	})
}

// Merge adds packages to others, each once. Two files that claim to be the same package and differ
// are an error: a node could not tell which one it gets.
func Merge(packages, more []Package) ([]Package, error) {
	known := map[string]Package{}
	var all []Package
	for _, p := range slices.Concat(packages, more) {
		before, seen := known[p.ID()]
		if seen && before.SHA256 != p.SHA256 {
			return nil, fmt.Errorf("two files are %s %s for %s, and differ: %s (SHA256 %.12s…) and %s (SHA256 %.12s…)",
				p.Name, p.Version, p.Architecture, before.Filename, before.SHA256, p.Filename, p.SHA256)
		}
		if !seen {
			known[p.ID()] = p
			all = append(all, p)
		}
	}
	Sort(all)
	return all, nil
}

// Index is the text of a Packages file.
func Index(packages []Package) string {
	var b strings.Builder
	for i, p := range packages {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.entry().String())
	}
	return b.String()
}

// entry is the stanza that an index has of the package: what its control file says, and where its
// file is. Weaker hashes go, and so do descriptions that stand in another file.
func (p Package) entry() Stanza {
	return p.Control.Without("Filename", "Size", "MD5sum", "SHA1", "SHA256", "Description-md5").
		With("Filename", p.Filename).With("Size", fmt.Sprint(p.Size)).With("SHA256", p.SHA256)
}

// Newest keeps the newest version of each name.
func Newest(packages []Package) map[string]Package {
	newest := map[string]Package{}
	for _, p := range packages {
		if before, seen := newest[p.Name]; !seen || Compare(p.Version, before.Version) > 0 {
			newest[p.Name] = p
		}
	}
	return newest
}
