package rules_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql/parser"
)

// sample is one series of a scrape.
type sample struct {
	labels  labels.Labels
	value   float64
	counter bool
}

// scrape is what one exporter answered, with the labels of its target.
type scrape struct {
	file    string
	samples []sample
}

// readScrapes reads testdata/scrape: what exporters on real nodes answered. testdata/README.md says how
// it is taken anew.
func readScrapes(t testing.TB) []scrape {
	t.Helper()
	names, err := filepath.Glob("testdata/scrape/*.prom")
	if err != nil || len(names) == 0 {
		t.Fatalf("no recorded scrape: %v", err)
	}
	var out []scrape
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := bytes.Cut(text, []byte("\n"))
		target, err := parser.ParseMetric(strings.TrimPrefix(string(head), "# TARGET "))
		if err != nil {
			t.Fatalf("%s: the first line names no target: %v", name, err)
		}
		out = append(out, scrape{file: filepath.Base(name), samples: append(parse(t, name, text, target), ofTarget(target)...)})
	}
	return out
}

// parse reads Prometheus' text format. A label that the target has as well is renamed, as Prometheus
// does.
func parse(t testing.TB, name string, text []byte, target labels.Labels) []sample {
	t.Helper()
	var out []sample
	kinds := make(map[string]bool)
	for p := textparse.NewPromParser(text, labels.NewSymbolTable()); ; {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch entry {
		case textparse.EntryType:
			metric, kind := p.Type()
			kinds[string(metric)] = kind == "counter" || kind == "histogram" || kind == "summary"
		case textparse.EntrySeries:
			_, _, v := p.Series()
			var own labels.Labels
			p.Metric(&own)
			b := labels.NewBuilder(target)
			own.Range(func(l labels.Label) {
				if target.Has(l.Name) {
					l.Name = "exported_" + l.Name
				}
				b.Set(l.Name, l.Value)
			})
			out = append(out, sample{b.Labels(), v, kinds[family(own.Get("__name__"))] || kinds[own.Get("__name__")]})
		}
	}
}

// family is the name of a histogram or summary that a series is part of.
func family(series string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		series = strings.TrimSuffix(series, suffix)
	}
	return series
}

// ofTarget are the series that Prometheus itself adds to a target's.
func ofTarget(target labels.Labels) []sample {
	var out []sample
	for name, v := range map[string]float64{
		"up": 1, "scrape_duration_seconds": 0.05, "scrape_timeout_seconds": 8,
		"scrape_samples_post_metric_relabeling": 1000, "scrape_sample_limit": 20000,
	} {
		out = append(out, sample{labels: labels.NewBuilder(target).Set("__name__", name).Labels(), value: v})
	}
	return out
}

const (
	history = 20 * time.Minute // that is made up of one scrape
	pace    = 15 * time.Second
)

// replay makes a history of the scrapes that ends when they were taken: counters grow as they have
// grown since their process began, clocks go on, and everything else stays.
func replay(t testing.TB, b *bench, scrapes []scrape) (end time.Time) {
	t.Helper()
	now := valueOf(t, scrapes, "node_time_seconds")
	end = time.Unix(int64(now), 0)
	for at := end.Add(-history); !at.After(end); at = at.Add(pace) {
		app := b.Appender(t.Context())
		back := end.Sub(at).Seconds()
		for _, s := range scrapes {
			age := age(s, now)
			for _, m := range s.samples {
				if _, err := app.Append(0, m.labels, at.UnixMilli(), before(m, back, age)); err != nil {
					t.Fatalf("%s: %s: %v", s.file, m.labels, err)
				}
			}
		}
		if err := app.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	return end
}

// before is what a series was that many seconds ago.
func before(m sample, back, age float64) float64 {
	const year2001 = 1e9 // a counter of seconds that is larger is a point in time
	switch name := m.labels.Get("__name__"); {
	case slices.Contains([]string{"node_time_seconds", "pg_timestamp", "patroni_dcs_last_seen"}, name):
		return m.value - back
	case m.counter && !(m.value > year2001 && strings.Contains(name, "time")):
		return m.value * max(0, 1-back/age)
	}
	return m.value
}

// age is how long ago what is scraped began to count, in seconds.
func age(s scrape, now float64) float64 {
	began := map[string]float64{}
	for _, m := range s.samples {
		began[m.labels.Get("__name__")] = m.value
	}
	if up, ok := began["pg_uptime"]; ok {
		return up
	}
	for _, name := range []string{"node_boot_time_seconds", "process_start_time_seconds", "haproxy_process_start_time_seconds"} {
		if at, ok := began[name]; ok && at < now {
			return now - at
		}
	}
	return time.Hour.Seconds()
}

// valueOf is what a metric was that one series has.
func valueOf(t testing.TB, scrapes []scrape, name string) float64 {
	t.Helper()
	for _, s := range scrapes {
		for _, m := range s.samples {
			if m.labels.Get("__name__") == name {
				return m.value
			}
		}
	}
	t.Fatalf("nothing recorded has %s", name)
	return 0
}

// evaluated is a bench that has seen the recorded scrapes for a while, and when that was.
func evaluated(t testing.TB) (*bench, time.Time) {
	t.Helper()
	b := newBench(t, pace, ruleFiles(t))
	end := replay(t, b, readScrapes(t))
	for at := end.Add(-3 * time.Minute); !at.After(end); at = at.Add(pace) {
		b.evaluate(t, at)
	}
	return b, end
}

// On a whole system every recording rule has a value that is a number, and nobody is called.
func TestRecordedSystemIsHealthy(t *testing.T) {
	b, end := evaluated(t)
	for _, r := range allRules(t) {
		if r.alert() {
			continue
		}
		got := b.query(t, r.name(), end)
		if len(got) == 0 {
			t.Errorf("%s: %s has no value", r.file, r.name())
		}
		for _, s := range got {
			if math.IsNaN(s.F) {
				t.Errorf("%s: %s is no number: %s", r.file, r.name(), s.Metric)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.alerts)) {
		for _, r := range b.alerts[name] {
			for _, a := range r.ActiveAlerts() {
				t.Errorf("%s is %s: %s", name, a.State, a.Annotations.Get("description"))
			}
		}
	}
}
