package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// inTrouble are series that appear when something goes wrong for the first time, so that no scrape of a
// healthy system has them: what they are called, with the labels that rules read.
var inTrouble = []labels.Labels{
	labels.FromStrings("__name__", "loki_discarded_samples_total", "reason", "rate_limited", "type", "loki"),
	labels.FromStrings("__name__", "loki_request_duration_seconds_count", "status_code", "500", "route", "loki_api_v1_push"),
	labels.FromStrings("__name__", "nginx_responses_total", "status", "5xx", "host", "home"),
	labels.FromStrings("__name__", "pg_wait_count", "event", "Lock"),
}

// A rule that reads a series which no exporter has never has a value, and never says so. D-18: nine rules
// of v1.5.1 read what nobody has; see TestWhatIsReadIsRecorded and TestRecordedSystemIsHealthy as well.
func TestWhatIsReadIsExported(t *testing.T) {
	exported := make(map[string][]labels.Labels)
	add := func(l labels.Labels) { exported[l.Get("__name__")] = append(exported[l.Get("__name__")], l) }
	for _, s := range readScrapes(t) {
		for _, m := range s.samples {
			add(m.labels)
		}
	}
	for _, l := range inTrouble {
		add(l)
	}
	for _, r := range allRules(t) {
		each(r.expr, func(s *parser.VectorSelector) {
			if strings.Contains(s.Name, ":") || strings.HasSuffix(s.Name, "_up") && exported[s.Name] == nil && upName.MatchString(s.Name) {
				return // recorded
			}
			if !slices.ContainsFunc(exported[s.Name], func(l labels.Labels) bool { return matches(s, l) }) {
				t.Errorf("%s: %s reads %s, which nothing exports", r.file, r.name(), s)
			}
		})
	}
}

func matches(s *parser.VectorSelector, l labels.Labels) bool {
	return !slices.ContainsFunc(s.LabelMatchers, func(m *labels.Matcher) bool { return !m.Matches(l.Get(m.Name)) })
}

// A label that nothing has groups nothing and matches everything.
func TestLabelsThatAreNamedExist(t *testing.T) {
	known := []string{"address", "id"} // made by label_replace
	for _, s := range readScrapes(t) {
		for _, m := range s.samples {
			m.labels.Range(func(l labels.Label) { known = append(known, l.Name) })
		}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	for _, r := range allRules(t) {
		parser.Inspect(r.expr, func(n parser.Node, _ []parser.Node) error {
			for _, name := range namedLabels(n) {
				if !slices.Contains(known, name) {
					t.Errorf("%s: %s names label %s, which nothing has", r.file, r.name(), name)
				}
			}
			return nil
		})
	}
}

// namedLabels are those that a node of an expression groups, matches or selects by.
func namedLabels(n parser.Node) []string {
	switch n := n.(type) {
	case *parser.AggregateExpr:
		return n.Grouping
	case *parser.BinaryExpr:
		if n.VectorMatching != nil {
			return append(slices.Clone(n.VectorMatching.MatchingLabels), n.VectorMatching.Include...)
		}
	case *parser.VectorSelector:
		var names []string
		for _, m := range n.LabelMatchers {
			names = append(names, m.Name)
		}
		return names
	}
	return nil
}

// What is recorded is kept for as long as metrics are: it may have labels of which there is a limited
// number. Queries and tables are limited by the exporter, and the text of a query is in no label.
func TestRecordedLabelsAreLimited(t *testing.T) {
	limited := []string{
		"__name__", "job", "cls", "ins", "ip", // of the target
		"cpu", "mode", "device", "mountpoint", "fstype", "nodename", "id", // of machines
		"datname", "user", "relname", "relid", "query", // of databases
		"host", "status", // of the portal: its servers, and the classes of status
	}
	instant := []string{"infra_up", "agent_up", "patroni_up", "haproxy_up", "node:ins"} // with their target's instance and type
	b, end := evaluated(t)
	for _, r := range allRules(t) {
		if r.alert() {
			continue
		}
		for _, s := range b.query(t, r.name(), end) {
			s.Metric.Range(func(l labels.Label) {
				ofTarget := slices.Contains(instant, r.name()) && (l.Name == "instance" || l.Name == "type")
				if !slices.Contains(limited, l.Name) && !ofTarget {
					t.Errorf("%s: %s keeps label %s", r.file, r.name(), l.Name)
				}
				if l.Name == "query" && strings.ContainsAny(l.Value, " \n") {
					t.Errorf("%s: %s keeps the text of a query: %s", r.file, r.name(), l.Value)
				}
			})
		}
	}
}
