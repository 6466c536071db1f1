package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"pigsty/internal/controller"
)

// Extensions prints extensions: of the catalogue alone, or beside what a cluster has.
func Extensions(w io.Writer, r *controller.Extensions, color bool) {
	style := styleFor(color)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	list := slices.SortedFunc(slices.Values(r.Extensions), func(a, b controller.Extension) int { return strings.Compare(a.Name, b.Name) })
	notes := r.Notes
	if r.Cluster == "" {
		fmt.Fprintln(t, "EXTENSION\tVERSION\tPACKAGE\tLOADED AT START\tBY\tREQUIRES\tSUMMARY")
	} else {
		fmt.Fprintln(t, "EXTENSION\tVERSION\tPACKAGE\tLOADED AT START\tINSTALLED ON\tCREATED IN\tSUMMARY")
	}
	for _, e := range list {
		if r.Cluster == "" {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Name, e.Version, packages(e), strings.Join(e.Preload, ", "), creator(e),
				strings.Join(e.Requires, ", "), e.Summary)
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Name, e.Version, packages(e), loaded(e), installedOn(e), createdIn(e), e.Summary)
		notes = append(notes, extensionNotes(r.Cluster, e)...)
	}
	t.Flush()
	if len(list) == 0 {
		fmt.Fprintln(w, "No extension is like that.")
	}
	printRemarks(w, notes, style)
	fmt.Fprintf(w, "\nDebian %d, PostgreSQL %d.\n", r.Release, r.Postgres)
}

func packages(e controller.Extension) string {
	switch {
	case !e.Catalogued:
		return "not Debian's"
	case len(e.Packages) == 0:
		return "the server's"
	}
	return strings.Join(e.Packages, " ")
}

// creator says who may create it.
func creator(e controller.Extension) string {
	if e.Library {
		return "library"
	}
	return string(e.Creator)
}

func loaded(e controller.Extension) string {
	switch {
	case e.Library && e.Loaded:
		return "loaded"
	case e.Library, len(e.Preload) == 0:
		return ""
	case e.Loaded:
		return "loaded"
	}
	return "not " + strings.Join(e.Preload, ", ")
}

func installedOn(e controller.Extension) string {
	if e.Everyone {
		return "all"
	}
	var names []string
	for _, i := range e.Installed {
		names = append(names, i.Instance)
	}
	return strings.Join(names, ", ")
}

func createdIn(e controller.Extension) string {
	var texts []string
	for _, c := range e.Created {
		if c.Missing {
			continue
		}
		text := printable(c.Database)
		if c.Version != e.Version {
			text += " " + c.Version
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

func extensionNotes(cluster string, e controller.Extension) []string {
	var notes []string
	for _, c := range e.Created {
		switch {
		case c.Missing:
			notes = append(notes, fmt.Sprintf("%s is declared for %s (%s) and not created: pigsty pg ext create %s %s %s", e.Name, c.Database, c.Place, cluster, c.Database, e.Name))
		case c.Update != "":
			notes = append(notes, fmt.Sprintf("%s of %s is version %s and can be brought to %s: ALTER EXTENSION %s UPDATE", e.Name, c.Database, c.Version, c.Update, e.Name))
		}
		if !c.Missing && len(e.Preload) > 0 && !e.Loaded {
			notes = append(notes, fmt.Sprintf("%s of %s does not work: the server has not loaded %s", e.Name, c.Database, strings.Join(e.Preload, ", ")))
		}
	}
	return notes
}
