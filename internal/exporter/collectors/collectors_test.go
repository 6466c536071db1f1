package collectors

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pigsty/internal/exporter/collector"
	"pigsty/internal/golden"
)

func builtin(t *testing.T) *collector.Set {
	t.Helper()
	set, err := collector.Load(Source())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// What is shipped is described for people, down to each column.
func TestEverythingIsDescribed(t *testing.T) {
	for _, c := range builtin(t).All() {
		if c.Desc == "" || !strings.HasSuffix(c.Pos.File, ".yml") || !c.Builtin {
			t.Errorf("%s: collector %s: desc %q", c.Pos, c.Branch, c.Desc)
		}
		for _, col := range c.Columns {
			if col.Desc == "" && col.Usage != collector.Discard {
				t.Errorf("%s: column %s of collector %s is not described", c.Pos, col.Name, c.Branch)
			}
		}
	}
}

// For each version of PostgreSQL and pgBouncer, and each role, one collector at most gives a
// metric, unless each gives other rows.
func TestNoTwoCollectorsForOneMetric(t *testing.T) {
	rowsApart := []string{"pg_size"} // databases, the write-ahead log and the logs
	all := builtin(t).All()
	for _, facts := range everyServer() {
		from := map[string]string{}
		for _, c := range all {
			if ok, _ := c.Applies(facts); !ok || strings.Contains(strings.Join(rowsApart, " "), c.Name) {
				continue
			}
			for _, col := range c.Values() {
				if other, twice := from[c.Metric(col)]; twice {
					t.Errorf("version %d, replica %v: %s comes from %s and %s", facts.Version, facts.Recovery, c.Metric(col), other, c.Branch)
				}
				from[c.Metric(col)] = c.Branch
			}
		}
	}
}

// The names of metrics are the same on every version: what one version has, later ones have too.
func TestNamesStayOverVersions(t *testing.T) {
	all := builtin(t).All()
	for _, pool := range []bool{false, true} {
		for _, recovery := range []bool{false, true} {
			before := map[string]bool{}
			for _, facts := range everyServer() {
				if facts.Pgbouncer != pool || facts.Recovery != recovery {
					continue
				}
				now := map[string]bool{}
				for _, c := range all {
					if ok, _ := c.Applies(facts); ok {
						for _, col := range c.Values() {
							now[c.Metric(col)] = true
						}
					}
				}
				for name := range before {
					if !now[name] {
						t.Errorf("version %d, replica %v: %s is no longer there", facts.Version, recovery, name)
					}
				}
				before = now
			}
		}
	}
}

// Presets leave out and keep shorter exactly what they say, whatever is added to what is shipped.
func TestPresets(t *testing.T) {
	preset := func(name string) *collector.Set {
		set, err := collector.Load(Named(name)...)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	basic, fast := preset(Basic), preset(Fast)
	for _, c := range builtin(t).All() {
		object := strings.HasSuffix(c.Pos.File, "0700-object.yml")
		if got := basic.Get(c.Branch); got.Skip != (c.Skip || object) || got.TTL != c.TTL {
			t.Errorf("basic: %s: skip %v, kept for %s", c.Branch, got.Skip, got.TTL)
		}
		want := c.TTL
		if want == 10*time.Second {
			want = time.Second
		}
		if got := fast.Get(c.Branch); got.TTL != want || got.Skip != c.Skip || got.Query != c.Query || !got.Builtin {
			t.Errorf("fast: %s: kept for %s, skip %v", c.Branch, got.TTL, got.Skip)
		}
	}
	if len(basic.All()) != len(builtin(t).All()) || len(fast.All()) != len(builtin(t).All()) {
		t.Error("a preset has a collector that is not shipped")
	}
	if Named("mine.yml") != nil {
		t.Error("a file's name stands for what is shipped")
	}
}

func everyServer() []collector.Facts {
	var out []collector.Facts
	installed := map[string]string{"pg_stat_statements": "public"}
	for _, version := range []int{130000, 140000, 150000, 160000, 170000, 180000} {
		for _, recovery := range []bool{false, true} {
			out = append(out, collector.Facts{Main: true, Version: version, Recovery: recovery, Extensions: installed})
		}
	}
	for _, version := range []int{11800, 11900, 12000, 12100, 12200, 12300, 12400, 12500, 12600} {
		out = append(out, collector.Facts{Main: true, Pgbouncer: true, Version: version})
	}
	return out
}

// docs/collectors.md lists what is shipped; go test -update writes it.
func TestDocs(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Collectors\n\nWhat [the exporter](exporter.md) ships, written from the collectors themselves. `pg_exporter --dry-run` shows the queries.\n\n" +
		"| collector | metrics | what | runs | kept | versions | limits |\n|---|---|---|---|---:|---|---|\n")
	all := builtin(t).All()
	for _, c := range all {
		fmt.Fprintf(&b, "| %s | `%s_…` | %s | %s | %.0f s | %s | %s |\n", c.Branch, c.Name, c.Desc, where(c), c.TTL.Seconds(), versions(c), limits(c))
	}
	b.WriteString("\n## Metrics\n\n| metric | type | labels | what |\n|---|---|---|---|\n")
	seen := map[string]bool{}
	for _, c := range all {
		var labels []string
		for _, col := range c.Labels() {
			labels = append(labels, col.Alias())
		}
		for _, col := range c.Values() {
			if name := c.Metric(col); !seen[name] {
				seen[name] = true
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, strings.ToLower(string(col.Usage)), strings.Join(labels, ", "), col.Desc)
			}
		}
	}
	golden.Compare(t, "../../../docs/collectors.md", b.String())
}

func where(c *collector.Collector) string {
	out := "in each database"
	if c.Cluster() {
		out = "once"
	}
	for _, tag := range c.Tags {
		switch {
		case tag == "primary" || tag == "replica":
			out += ", on a " + tag
		case strings.HasPrefix(tag, "extension:") || strings.HasPrefix(tag, "schema:"):
			out += ", with " + strings.Replace(tag, ":", " ", 1)
		}
	}
	if c.Skip {
		out += "; not unless asked for"
	}
	return out
}

func versions(c *collector.Collector) string {
	name := func(v int) string {
		if c.Pgbouncer() {
			return fmt.Sprintf("%d.%d", v/10000, v/100%100)
		}
		return fmt.Sprint(v / 10000)
	}
	switch {
	case c.MinVersion > 0 && c.MaxVersion > 0:
		return name(c.MinVersion) + " to before " + name(c.MaxVersion)
	case c.MinVersion > 0:
		return name(c.MinVersion) + " and later"
	case c.MaxVersion > 0:
		return "before " + name(c.MaxVersion)
	}
	return "all"
}

func limits(c *collector.Collector) string {
	if c.Top == nil {
		return ""
	}
	return fmt.Sprintf("top %d by %s", c.Top.Keep, strings.Join(c.Top.By, ", "))
}
