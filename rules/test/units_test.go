package rules_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"gopkg.in/yaml.v3"
)

// unitFile is a file of unit tests in promtool's format, so that people who change a rule can run
// `promtool test rules` on them. What is here evaluates them in the same way.
type unitFile struct {
	RuleFiles          []string       `yaml:"rule_files"`
	EvaluationInterval model.Duration `yaml:"evaluation_interval"`
	GroupEvalOrder     []string       `yaml:"group_eval_order"` // promtool takes groups as they come without it
	Tests              []unit         `yaml:"tests"`

	path string
}

// unit is series that are made up, and what the rules make of them.
type unit struct {
	Name           string         `yaml:"name"`
	Interval       model.Duration `yaml:"interval"`
	InputSeries    []inputSeries  `yaml:"input_series"`
	AlertRuleTest  []alertCheck   `yaml:"alert_rule_test"`
	PromqlExprTest []exprCheck    `yaml:"promql_expr_test"`
}

type inputSeries struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

// alertCheck says which alerts of a name fire at a time, and no others.
type alertCheck struct {
	EvalTime  model.Duration `yaml:"eval_time"`
	Alertname string         `yaml:"alertname"`
	ExpAlerts []firing       `yaml:"exp_alerts"`
}

type firing struct {
	Labels      map[string]string `yaml:"exp_labels"`
	Annotations map[string]string `yaml:"exp_annotations"`
}

// exprCheck says what an expression is at a time.
type exprCheck struct {
	Expr       string         `yaml:"expr"`
	EvalTime   model.Duration `yaml:"eval_time"`
	ExpSamples []struct {
		Labels string  `yaml:"labels"`
		Value  float64 `yaml:"value"`
	} `yaml:"exp_samples"`
}

func readUnits(t testing.TB) []unitFile {
	t.Helper()
	names, err := filepath.Glob("units/*.yml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no unit tests: %v", err)
	}
	var out []unitFile
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		u := unitFile{path: name}
		d := yaml.NewDecoder(f)
		d.KnownFields(true)
		if err := d.Decode(&u); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f.Close()
		out = append(out, u)
	}
	return out
}

func TestUnits(t *testing.T) {
	all := allRules(t)
	for _, file := range readUnits(t) {
		for _, u := range file.Tests {
			t.Run(strings.TrimSuffix(filepath.Base(file.path), ".yml")+"/"+u.Name, func(t *testing.T) {
				t.Parallel()
				file.run(t, all, u)
			})
		}
	}
}

// run evaluates the rules from 0 on until the last check, as promtool does, but for those that nothing
// depends on which is checked.
func (f unitFile) run(t *testing.T, all []rule, u unit) {
	var ruleFiles []string
	for _, name := range f.RuleFiles {
		ruleFiles = append(ruleFiles, filepath.Join(filepath.Dir(f.path), name))
	}
	b := newBench(t, time.Duration(f.EvaluationInterval), ruleFiles, closure(all, u.checked(t))...)
	slices.SortStableFunc(b.groups, func(x, y *rules.Group) int {
		return cmp.Compare(slices.Index(f.GroupEvalOrder, x.Name()), slices.Index(f.GroupEvalOrder, y.Name()))
	})
	u.load(t, b)
	for at := time.Duration(0); at <= u.end(); at += time.Duration(f.EvaluationInterval) {
		now := time.Unix(0, 0).UTC().Add(at)
		b.evaluate(t, now)
		for _, check := range u.AlertRuleTest {
			if time.Duration(check.EvalTime) == at {
				check.run(t, b)
			}
		}
		for _, check := range u.PromqlExprTest {
			if time.Duration(check.EvalTime) == at {
				check.run(t, b, now)
			}
		}
	}
}

// load writes the unit's series.
func (u unit) load(t *testing.T, b *bench) {
	app := b.Appender(t.Context())
	for _, in := range u.InputSeries {
		metric, values, err := parser.ParseSeriesDesc(in.Series + " " + in.Values)
		if err != nil {
			t.Fatalf("%s %s: %v", in.Series, in.Values, err)
		}
		for i, v := range values {
			at := time.Duration(i) * time.Duration(u.Interval)
			if v.Omitted {
				continue
			}
			if _, err := app.Append(0, metric, at.Milliseconds(), v.Value); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
}

// checked are the names of rules that the unit looks at.
func (u unit) checked(t *testing.T) []string {
	var names []string
	for _, c := range u.AlertRuleTest {
		names = append(names, c.Alertname)
	}
	for _, c := range u.PromqlExprTest {
		expr, err := parser.ParseExpr(c.Expr)
		if err != nil {
			t.Fatalf("%s: %v", c.Expr, err)
		}
		each(expr, func(s *parser.VectorSelector) { names = append(names, s.Name) })
	}
	return names
}

func (u unit) end() time.Duration {
	var end model.Duration
	for _, c := range u.AlertRuleTest {
		end = max(end, c.EvalTime)
	}
	for _, c := range u.PromqlExprTest {
		end = max(end, c.EvalTime)
	}
	return time.Duration(end)
}

func (c alertCheck) run(t *testing.T, b *bench) {
	if b.alerts[c.Alertname] == nil {
		t.Fatalf("no rule of these files is called %s", c.Alertname)
	}
	var want, got []string
	for _, f := range c.ExpAlerts {
		f.Labels["alertname"] = c.Alertname
		want = append(want, fmt.Sprint(labels.FromMap(f.Labels), labels.FromMap(f.Annotations)))
	}
	for _, r := range b.alerts[c.Alertname] {
		for _, a := range r.ActiveAlerts() {
			if a.State == rules.StateFiring {
				got = append(got, fmt.Sprint(a.Labels, a.Annotations))
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("%s at %v\nwant %s\ngot  %s", c.Alertname, c.EvalTime, strings.Join(want, "\n     "), strings.Join(got, "\n     "))
	}
}

func (c exprCheck) run(t *testing.T, b *bench, at time.Time) {
	want, got := make(map[string]float64), make(map[string]float64)
	for _, s := range c.ExpSamples {
		l, err := parser.ParseMetric(s.Labels)
		if err != nil {
			t.Fatalf("%s: %v", s.Labels, err)
		}
		want[l.String()] = s.Value
	}
	for _, s := range b.query(t, c.Expr, at) {
		if !value.IsStaleNaN(s.F) {
			got[s.Metric.String()] = s.F
		}
	}
	if !maps.EqualFunc(want, got, near) {
		t.Errorf("%s at %v\nwant %v\ngot  %v", c.Expr, c.EvalTime, want, got)
	}
}

// near is equal but for what is lost in computing.
func near(a, b float64) bool {
	return a == b || math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))
}

// Every alert is silent before its cause, fires by it, and falls silent after it.
func TestEveryAlertIsSilentFiresAndResolves(t *testing.T) {
	seen := make(map[string]bool)
	for _, file := range readUnits(t) {
		for _, u := range file.Tests {
			for name, checks := range u.byAlert() {
				seen[name] = seen[name] || comesAndGoes(checks)
			}
		}
	}
	for _, r := range allRules(t) {
		if r.alert() && !seen[r.name()] {
			t.Errorf("no unit test shows that %s is silent, fires and resolves", r.name())
		}
	}
}

func (u unit) byAlert() map[string][]alertCheck {
	out := make(map[string][]alertCheck)
	for _, c := range u.AlertRuleTest {
		out[c.Alertname] = append(out[c.Alertname], c)
	}
	return out
}

// comesAndGoes tells whether nothing fires in the first check, something in one after it, and nothing in
// the last.
func comesAndGoes(checks []alertCheck) bool {
	slices.SortFunc(checks, func(a, b alertCheck) int { return cmp.Compare(a.EvalTime, b.EvalTime) })
	fires := slices.ContainsFunc(checks, func(c alertCheck) bool { return len(c.ExpAlerts) > 0 })
	return fires && len(checks[0].ExpAlerts) == 0 && len(checks[len(checks)-1].ExpAlerts) == 0
}
