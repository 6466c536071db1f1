package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Limits of the whole: of a core, and of memory.
const (
	mostProcessor = 0.05
	mostMemory    = 600_000_000
)

// watchers are the units that are there to watch, with what they do.
var watchers = []struct{ unit, what string }{
	{"prometheus.service", "Prometheus: scrapes, rules, storage"},
	{"loki.service", "Loki: logs of four nodes"},
	{"promtail.service", "Promtail: logs of this node"},
	{"prometheus-node-exporter.service", "node_exporter"},
	{"pg_exporter.service", "pg_exporter: PostgreSQL and pgBouncer"},
	{sessions, "PostgreSQL's sessions that it asks"},
	{"prometheus-alertmanager.service", "Alertmanager"},
	{"prometheus-blackbox-exporter.service", "blackbox_exporter: what is looked at from outside"},
	{"prometheus-nginx-exporter.service", "nginx exporter"},
	{"nginx.service", "nginx: the portal"},
	{"dnsmasq.service", "dnsmasq: the name server"},
}

// watched are units that do something else, and are asked for metrics or read by those above.
var watched = []struct{ unit, what string }{
	{"etcd.service", "etcd"},
	{"patroni.service", "Patroni and PostgreSQL, without the sessions above"},
	{"haproxy.service", "HAProxy"},
	{"pgbouncer.service", "pgBouncer"},
	{"dbus.service", "D-Bus, by which node_exporter asks systemd"},
	{"init.scope", "systemd"},
	{"systemd-journald.service", "the journal, which Promtail reads"},
}

// results are everything that was measured.
type results struct {
	options   options
	machine   string
	start     time.Time
	up        time.Duration // of Prometheus when memory was looked at
	series    [2]string     // of Prometheus, and its targets
	loads     []string      // of the machine, after each window
	yardstick []string      // what a fixed piece of work took in each, in milliseconds
	watched   []shares
	unwatched []shares
	memory    map[string]footprint
}

// spread is a unit's lowest, middle and highest share over windows.
func spread(windows []shares, unit string) (low, middle, high float64) {
	var all []float64
	for _, w := range windows {
		all = append(all, w.of(unit))
	}
	slices.Sort(all)
	return all[0], all[len(all)/2], all[len(all)-1]
}

// of is a unit's share. Patroni's is without the sessions that pg_exporter has in PostgreSQL.
func (s shares) of(unit string) float64 {
	if unit == "patroni.service" {
		return s[unit] - s[sessions]
	}
	return s[unit]
}

// whole adds up what watches, in each window.
func (r *results) whole() []shares {
	var out []shares
	for _, w := range r.watched {
		sum := 0.0
		for _, u := range watchers {
			sum += w.of(u.unit)
		}
		out = append(out, shares{"": sum})
	}
	return out
}

func (r *results) markdown() string {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# What watching costs\n")
	p("Written by `go run ./bench/watch`, as root, from the top of the repository, on %s UTC.\n", r.start.UTC().Format("2006-01-02 15:04"))
	p("- Machine: %s.", r.machine)
	p("- `conf/sandbox.yml` with logs and the name server: four nodes, two clusters, nobody using them. Figures are of the")
	p("  infrastructure node, `meta`, which also has a PostgreSQL and a member of etcd. Prometheus has %s series of %s targets", r.series[0], r.series[1])
	p("  every ten seconds, and had run for %s when memory was looked at.", r.up.Round(time.Minute))
	p("- %d windows of %s each; min / median / max. Load average after each: %s.", r.options.windows, r.options.window, strings.Join(r.loads, ", "))
	p("- Processor time is counted by cgroups, and of PostgreSQL's sessions by the kernel's scheduler. It grows where")
	p("  others keep the machine's caches busy, who on a virtual machine are not in the load average. A fixed piece of work,")
	p("  done every three seconds in the same windows, took %s ms of a processor.\n", strings.Join(r.yardstick, ", "))
	r.watchers(p)
	r.scraped(p)
	return b.String()
}

func (r *results) watchers(p func(string, ...any)) {
	p("## What watches\n")
	p("| | %% of a core | PSS, MB | of that anonymous, MB | RSS, MB |")
	p("|---|---|---|---|---|")
	var sum footprint
	for _, u := range watchers {
		m := r.memory[u.unit]
		sum = footprint{sum.anonymous + m.anonymous, sum.proportional + m.proportional, sum.resident + m.resident}
		p("| %s | %s | %s |", u.what, percent(spread(r.watched, u.unit)), m)
	}
	low, middle, high := spread(r.whole(), "")
	p("| **all** | **%s** | %s |", percent(low, middle, high), sum)
	p("| aim | under %.0f: %s | under %d: %s | | |\n", 100*mostProcessor, met(middle < mostProcessor), mostMemory/1_000_000, met(sum.proportional < mostMemory))
	p("PSS is what the processes have in memory, pages of libraries that several share counted in parts; RSS counts them")
	p("in full for each, PostgreSQL's shared buffers in each session. The kernel's own memory for them, such as buffers")
	p("of sockets and the page cache of their files, is not counted: it is the host's in a container of this kind.\n")
}

func (r *results) scraped(p func(string, ...any)) {
	p("## What it costs those that are watched\n")
	p("The same units with Prometheus stopped, and so nobody scraping. The difference is what it takes them to answer:")
	p("not part of the sum above.\n")
	p("| | %% of a core, scraped | not scraped | difference of medians |")
	p("|---|---|---|---|")
	sum := 0.0
	for _, u := range watched {
		low, with, high := spread(r.watched, u.unit)
		least, without, most := spread(r.unwatched, u.unit)
		sum += with - without
		p("| %s | %s | %s | %.2f |", u.what, percent(low, with, high), percent(least, without, most), 100*(with-without))
	}
	p("| all | | | %.2f |", 100*sum)
}

func percent(low, middle, high float64) string {
	return fmt.Sprintf("%.2f / %.2f / %.2f", 100*low, 100*middle, 100*high)
}

func (f footprint) String() string {
	mb := func(n int64) float64 { return float64(n) / 1e6 }
	return fmt.Sprintf("%.0f | %.0f | %.0f", mb(f.proportional), mb(f.anonymous), mb(f.resident))
}

func met(yes bool) string {
	if yes {
		return "met"
	}
	return "**missed**"
}

// uptime is how long Prometheus has run.
func (n *node) uptime() time.Duration {
	info, err := os.Stat(filepath.Join(n.root, "system.slice", "prometheus.service"))
	if err != nil {
		return 0
	}
	return time.Since(info.ModTime())
}
