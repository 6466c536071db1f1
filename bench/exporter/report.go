package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"pigsty/bench/machine"
)

// results are everything that was measured.
type results struct {
	options    options
	machine    string
	versions   []string
	start, end machine.Moment
	found      []*finding
}

// total is the processor time of a scrape, of exporter and server together: the median of the turns.
func (f *finding) total() time.Duration {
	var sums []time.Duration
	for i := range f.exporter {
		sums = append(sums, f.exporter[i]+f.postgresql[i])
	}
	return median(sums)
}

// of gives what was found in one comparison, ours first.
func (r *results) of(group string, tables int) []*finding {
	var out []*finding
	for _, f := range r.found {
		if f.group == group && f.tables == tables {
			out = append(out, f)
		}
	}
	return out
}

func (r *results) markdown() string {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	o := r.options
	p("# Exporters side by side\n")
	p("Written by `%s`, as root, from the top of the repository; see [README](../README.md#exporter).", strings.Join(append([]string{"go run ./bench/exporter"}, os.Args[1:]...), " "))
	p("The clock shows %s to %s UTC.\n", r.start.At.UTC().Format("2006-01-02 15:04"), r.end.At.UTC().Format("15:04"))
	p("- Machine: %s.", r.machine)
	p("- Packages of Debian: %s. All exporters watch the same server in one run and take turns.", strings.Join(r.versions, ", "))
	p("- Load average (1, 5, 15 minutes) at the beginning %s, at the end %s.", r.start.Load, r.end.Load)
	p("- CPU is processor time for one scrape, counted by cgroups: of the exporter, and of all of PostgreSQL, processes")
	p("  that have ended since included, less what it uses when nobody asks. It is the median of the turns.")
	p("- The time of a scrape is min / median / max of all; it moves with what else the machine does. Memory is the peak")
	p("  of what was resident.")
	p("- Series do not count what an exporter tells of itself. pg_exporter gives NaN where the server has no value, ours")
	p("  gives no series.\n")
	r.aims(p)
	p("## The same series\n")
	p("%s of %d scrapes each, %s apart, every query run for every scrape, none cancelled for being slow.\n", turns(o.rounds), o.scrapes, o.pace)
	p("### " + heading(likePge) + "\n")
	p("What only one of the two has, or has for more things, is left out on both sides, column by column. Ours keeps as many")
	p("tables, indexes, functions and queries as pg_exporter does: 256, 512, 128 and 128. Each uses its own queries, and chooses")
	p("by its own measure among more, so that then they are not all the same tables; ours asks for the sizes of the 600 tables")
	p("with most pages, pg_exporter for those of all.\n")
	r.table(p, likePge)
	p("### " + heading(likePpe) + "\n")
	p("Ours runs [collectors](../exporter/postgres_exporter.yml) that give the same names and labels, for all tables of one")
	p("database; the other runs as it comes, without the settings.\n")
	r.table(p, likePpe)
	p("### " + heading(sameFile) + "\n")
	p("Ours reads the file as it is: the queries are the same, so that what differs is the program. With many tables nearly all")
	p("of the work is the server's, and the same for both: what is saved above is saved by other queries.\n")
	r.table(p, sameFile)
	p("## " + heading(asTheyAre) + "\n")
	p("%s of %d scrapes each, %s apart, with the collectors that each brings. Ours and pg_exporter keep results for", turns(o.turns), o.beats, o.beat)
	p("as long as a collector says; what they keep for five minutes (sizes of tables) is not in these figures.\n")
	r.table(p, asTheyAre)
	return b.String()
}

func turns(n int) string {
	if n == 1 {
		return "1 turn"
	}
	return fmt.Sprintf("%d turns", n)
}

func heading(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func (r *results) table(p func(string, ...any), group string) {
	p("| tables | exporter | series | in ours too | NaN | scrape, ms | CPU exporter, ms | CPU PostgreSQL, ms | both, ms | × ours | memory, MiB |")
	p("|---:|---|---:|---:|---:|---|---:|---:|---:|---:|---:|")
	for _, tables := range r.options.tables {
		found := r.of(group, tables)
		for _, f := range found {
			p("| %d | %s | %d | %d | %d | %s / %s / %s | %s | %s | %s | %.2f | %d |", tables, f.name, len(f.series), len(both(f.series, found[0].series)), f.nan,
				ms(slices.Min(f.walls)), ms(median(f.walls)), ms(slices.Max(f.walls)), ms(median(f.exporter)), ms(median(f.postgresql)),
				ms(f.total()), ratio(f, found[0]), f.memory>>20)
		}
	}
	p("")
}

func ratio(a, b *finding) float64 { return a.total().Seconds() / b.total().Seconds() }

// aims compares with what we want to reach.
func (r *results) aims(p func(string, ...any)) {
	p("## Figures against aims\n")
	p("| aim | tables | found | |")
	p("|---|---:|---:|---|")
	for _, group := range []string{likePge, likePpe} {
		for _, tables := range r.options.tables {
			found := r.of(group, tables)
			share := ratio(found[0], found[1])
			p("| for %s, under half of the CPU of %s | %d | %.2f | %s |", group, found[1].name, tables, share, met(share < 0.5))
		}
	}
	for _, group := range []string{likePge, likePpe, asTheyAre} {
		for _, f := range first(r.of(group, 1000)) {
			p("| a scrape under 100 ms: %s | 1000 | median %s ms, least %s ms, with %s ms of CPU | %s |", group, ms(median(f.walls)),
				ms(slices.Min(f.walls)), ms(f.total()), met(median(f.walls) < 100*time.Millisecond))
		}
	}
	for _, tables := range r.options.tables {
		p("| bounded memory, as it comes | %d | %d MiB | |", tables, r.of(asTheyAre, tables)[0].memory>>20)
	}
	p("")
}

func met(yes bool) string {
	if yes {
		return "met"
	}
	return "**missed**"
}

// first is the first of a list, if there is one.
func first(found []*finding) []*finding { return found[:min(1, len(found))] }
