package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"pigsty/internal/controller"
	"pigsty/internal/resource"
)

// Databases prints the databases of a cluster, and below what is not as the inventory says.
func Databases(w io.Writer, d *controller.Databases, color bool) {
	style := styleFor(color)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "DATABASE\tDECLARED BY\tOWNER\tSIZE\tENCODING\tLOCALE\tSESSIONS\tPOOL\tXID AGE\tEXTENSIONS BESIDE TEMPLATE1'S")
	notes, common := d.Notes, extensionsOf(d, template1)
	for _, o := range d.Databases {
		if o.Missing {
			fmt.Fprintf(t, "%s\t%s\tis not there\t\t\t\t\t\t\t\n", printable(o.Name), o.Declared)
			notes = append(notes, fmt.Sprintf("%s is declared (%s) and not there: pigsty pg db apply %s %s", o.Name, o.Place, d.Cluster, o.Name))
			continue
		}
		var extensions []string
		for _, e := range o.Extensions {
			if o.Name == template1 || !slices.Contains(common, e.Name) {
				extensions = append(extensions, e.Name)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(o.Name), o.Declared, printable(o.Owner), resource.SizeText(o.Size), o.Encoding, locale(o),
			sessions(o), pool(o), millions(o.Age), printable(strings.Join(extensions, " ")))
		notes = append(notes, databaseNotes(d.Cluster, o)...)
	}
	t.Flush()
	printRemarks(w, notes, style)
}

// template1 is the database that others are copies of, unless they say otherwise.
const template1 = "template1"

// extensionsOf are the names of those that a database has.
func extensionsOf(d *controller.Databases, name string) []string {
	var names []string
	for _, o := range d.Databases {
		if o.Name == name {
			for _, e := range o.Extensions {
				names = append(names, e.Name)
			}
		}
	}
	return names
}

// oldAge is the age at which autovacuum freezes unasked, with the setting that pigsty makes.
const oldAge = 1_000_000_000

func databaseNotes(cluster string, o controller.Database) []string {
	var notes []string
	if o.Unwanted {
		notes = append(notes, fmt.Sprintf("%s is to be absent (%s) and is there", o.Name, o.Place))
	}
	if o.Age > oldAge {
		notes = append(notes, fmt.Sprintf("%s is %s transactions old, of the 2000 million there may be: vacuum it, and look for what keeps vacuum from freezing", o.Name, millions(o.Age)))
	}
	for _, e := range o.Extensions {
		if e.Update != "" {
			notes = append(notes, fmt.Sprintf("%s of %s is version %s and can be brought to %s: ALTER EXTENSION %s UPDATE", e.Name, o.Name, e.Version, e.Update, e.Name))
		}
	}
	if o.Error != "" {
		notes = append(notes, fmt.Sprintf("%s of %s cannot be looked into: %s", o.Name, cluster, o.Error))
	}
	return notes
}

func locale(o controller.Database) string {
	if o.Collate == o.Ctype {
		return o.Collate
	}
	return o.Collate + ", " + o.Ctype
}

func sessions(o controller.Database) string {
	if !o.AllowConn {
		return "lets nobody in"
	}
	return limited(o.Sessions, o.ConnLimit)
}

func pool(o controller.Database) string {
	if o.Pool && o.PoolMode != "" {
		return o.PoolMode
	}
	return yes(o.Pool)
}

// millions writes a number of transactions.
func millions(n int64) string {
	if n < 1_000_000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d million", n/1_000_000)
}
