package rules_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// Queries that the pages of alerts give people are valid, and read what there is.
func TestQueriesOfPagesHaveAnswers(t *testing.T) {
	there := make(map[string]bool)
	for _, s := range readScrapes(t) {
		for _, m := range s.samples {
			there[m.labels.Get("__name__")] = true
		}
	}
	for _, r := range allRules(t) {
		there[r.name()] = true
	}
	for _, l := range inTrouble {
		there[l.Get("__name__")] = true
	}
	elsewhere := regexp.MustCompile(`^    (pigsty|ssh|ping|\{|topk\(10, sum by \(job, src)`) // commands, and queries of Loki
	names, err := filepath.Glob("../../docs/alerts/*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "    ") || elsewhere.MatchString(line) {
				continue
			}
			expr, err := parser.ParseExpr(strings.TrimSpace(line))
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(name), err)
				continue
			}
			each(expr, func(s *parser.VectorSelector) {
				if s.Name != "" && !there[s.Name] {
					t.Errorf("%s: %s is neither exported nor recorded", filepath.Base(name), s.Name)
				}
			})
		}
	}
}

// A label that a text names is one that the alert has: nothing would stand there otherwise.
func TestTextsNameLabelsThatTheAlertHas(t *testing.T) {
	named := regexp.MustCompile(`\$labels\.([a-z_]+)`)
	optional := []string{"PostgresConnUsageHigh datname", "PostgresChecksumFailure datname"} // asked for by with
	has := make(map[string][]string)
	for _, file := range readUnits(t) {
		for _, u := range file.Tests {
			for _, c := range u.AlertRuleTest {
				for _, a := range c.ExpAlerts {
					for name := range a.Labels {
						has[c.Alertname] = append(has[c.Alertname], name)
					}
				}
			}
		}
	}
	for _, r := range allRules(t) {
		for _, text := range r.Annotations {
			for _, m := range named.FindAllStringSubmatch(text, -1) {
				if !slices.Contains(has[r.name()], m[1]) && !slices.Contains(optional, r.name()+" "+m[1]) {
					t.Errorf("%s names label %s, which it does not have", r.name(), m[1])
				}
			}
		}
	}
}
