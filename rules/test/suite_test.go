// Package rules_test proves the rules of the folder above with Prometheus' own parser and engine,
// of the version that Debian 13 has. It is a module of its own so that the product does not depend on
// Prometheus.
package rules_test

import (
	"context"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/util/teststorage"
)

// rule is one rule, and where it stands.
type rule struct {
	rulefmt.RuleNode
	file, group string
	expr        parser.Expr
}

// name is what the rule records, or the alert's.
func (r rule) name() string { return r.Record.Value + r.Alert.Value }

func (r rule) alert() bool { return r.Alert.Value != "" }

// ruleFiles are the files under test.
func ruleFiles(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("../*.yml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no rule file beside this module: %v", err)
	}
	return names
}

// allRules reads every rule, as Prometheus does.
func allRules(t testing.TB) []rule {
	t.Helper()
	var out []rule
	for _, name := range ruleFiles(t) {
		file, errs := rulefmt.ParseFile(name)
		if len(errs) > 0 {
			t.Fatalf("%s: %v", name, errs)
		}
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				expr, err := parser.ParseExpr(r.Expr.Value)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				out = append(out, rule{RuleNode: r, file: filepath.Base(name), group: g.Name, expr: expr})
			}
		}
	}
	return out
}

// bench is a Prometheus without network: a database, an engine and rules that are evaluated when
// the test says so.
type bench struct {
	*teststorage.TestStorage
	engine *promql.Engine
	groups []*rules.Group
	alerts map[string][]*rules.AlertingRule
}

// newBench loads rules: all of the files, or those that have one of the names. Every group is
// evaluated at the interval.
func newBench(t testing.TB, interval time.Duration, files []string, names ...string) *bench {
	t.Helper()
	b := &bench{TestStorage: teststorage.New(t), alerts: make(map[string][]*rules.AlertingRule)}
	t.Cleanup(func() { b.Close() })
	b.engine = promql.NewEngine(promql.EngineOpts{
		Logger: log.NewNopLogger(), MaxSamples: 5_000_000, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
	})
	options := &rules.ManagerOptions{
		ExternalURL: &url.URL{}, Context: t.Context(), Logger: log.NewNopLogger(),
		QueryFunc:  rules.EngineQueryFunc(b.engine, b.TestStorage),
		Appendable: b.TestStorage, Queryable: b.TestStorage,
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
	}
	loaded, errs := rules.NewManager(options).LoadGroups(interval, labels.EmptyLabels(), "", nil, files...)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, g := range loaded {
		kept := slices.DeleteFunc(g.Rules(), func(r rules.Rule) bool { return len(names) > 0 && !slices.Contains(names, r.Name()) })
		if len(kept) == 0 {
			continue
		}
		g = rules.NewGroup(rules.GroupOptions{Name: g.Name(), File: g.File(), Interval: interval, Rules: kept, Opts: options})
		b.groups = append(b.groups, g)
		for _, r := range g.AlertingRules() {
			b.alerts[r.Name()] = append(b.alerts[r.Name()], r)
		}
	}
	// Files come in a map; what records goes before what alerts, as it does between two evaluations.
	slices.SortFunc(b.groups, func(a, b *rules.Group) int {
		return strings.Compare(order(a), order(b))
	})
	return b
}

func order(g *rules.Group) string {
	if len(g.AlertingRules()) > 0 {
		return "2 " + g.File() + g.Name()
	}
	return "1 " + g.File() + g.Name()
}

// evaluate runs all groups once. A rule that fails fails the test.
func (b *bench) evaluate(t testing.TB, at time.Time) {
	t.Helper()
	for _, g := range b.groups {
		g.Eval(t.Context(), at)
		for _, r := range g.Rules() {
			if err := r.LastError(); err != nil {
				t.Fatalf("%s of %s: %v", r.Name(), filepath.Base(g.File()), err)
			}
		}
	}
}

// closure adds to names of rules those that they read, and what these read.
func closure(all []rule, names []string) []string {
	for i := 0; i < len(names); i++ {
		for _, r := range all {
			if r.name() != names[i] {
				continue
			}
			each(r.expr, func(s *parser.VectorSelector) {
				if !slices.Contains(names, s.Name) {
					names = append(names, s.Name)
				}
			})
		}
	}
	return names
}

// query gives what an expression is at a time.
func (b *bench) query(t testing.TB, expr string, at time.Time) promql.Vector {
	t.Helper()
	v, err := rules.EngineQueryFunc(b.engine, b.TestStorage)(t.Context(), expr, at)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return v
}
