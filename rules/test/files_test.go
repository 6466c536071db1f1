package rules_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

var (
	recordName = regexp.MustCompile(`^([a-z]+:)?(ins|cls|env|db|dev|fs|cpu|pool|table|query|node|pg|pgbouncer|haproxy|etcd|nginx):[a-z0-9_]+$`)
	upName     = regexp.MustCompile(`^(infra|agent|patroni|haproxy)_up$`)
)

func TestRecordedNamesSayModuleAndLevel(t *testing.T) {
	for _, r := range allRules(t) {
		if !r.alert() && !recordName.MatchString(r.name()) && !upName.MatchString(r.name()) {
			t.Errorf("%s: %s is not <module>:<level>:<metric>", r.file, r.name())
		}
	}
}

// Whoever comes from v1.5 finds every name that was recorded there.
func TestNamesOfV15AreRecorded(t *testing.T) {
	list, err := os.ReadFile("testdata/names-v1.5.txt")
	if err != nil {
		t.Fatal(err)
	}
	var recorded []string
	for _, r := range allRules(t) {
		if !r.alert() {
			recorded = append(recorded, r.name())
		}
	}
	names := strings.Fields(string(list))
	if len(names) == 0 {
		t.Fatal("the list of names is empty")
	}
	for _, name := range names {
		if !slices.Contains(recorded, name) {
			t.Errorf("no rule records %s", name)
		}
	}
}

func TestEveryNameIsRecordedOnce(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range allRules(t) {
		if !r.alert() && seen[r.name()] {
			t.Errorf("%s: %s is recorded twice", r.file, r.name())
		}
		seen[r.name()] = true
	}
}

// A port is a parameter, and may be anything: sources are told by the label type or by the names
// of their metrics.
func TestNothingIsSelectedByPort(t *testing.T) {
	port := regexp.MustCompile(`:[0-9(\[]`)
	for _, r := range allRules(t) {
		each(r.expr, func(s *parser.VectorSelector) {
			for _, m := range s.LabelMatchers {
				if m.Name == "instance" || m.Name == "port" || port.MatchString(m.Value) && m.Name != "__name__" {
					t.Errorf("%s: %s selects by %s", r.file, r.name(), m)
				}
			}
		})
	}
}

// Whoever probes answers Prometheus, whatever becomes of what is probed, and its targets have the types of
// those that are scraped: a rule that reads up says which job it means.
func TestUpIsNotThatOfProbes(t *testing.T) {
	for _, r := range allRules(t) {
		each(r.expr, func(s *parser.VectorSelector) {
			if s.Name == "up" && !slices.ContainsFunc(s.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == "job" }) {
				t.Errorf("%s: %s reads %s of every job", r.file, r.name(), s)
			}
		})
	}
}

// dropped is a relabelling of Prometheus' configuration that leaves series out.
var dropped = regexp.MustCompile(`source_labels: \[(.+)\]\n +regex: (.+)\n +action: drop\n`)

// What Prometheus does not keep is nothing that a rule may read: an alert on it would be silent for ever.
func TestNothingReadsWhatIsNotKept(t *testing.T) {
	config, err := os.ReadFile("../../internal/module/infra/templates/etc/prometheus/prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	found := dropped.FindAllStringSubmatch(string(config), -1)
	if len(found) < strings.Count(string(config), "action: drop") || len(found) == 0 {
		t.Fatalf("only these of the configuration's drops can be read: %q", found)
	}
	for _, drop := range found {
		sources, pattern := strings.Split(drop[1], ", "), regexp.MustCompile("^(?:"+drop[2]+")$")
		for _, r := range allRules(t) {
			each(r.expr, func(s *parser.VectorSelector) {
				var values []string
				for _, label := range sources {
					i := slices.IndexFunc(s.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == label && m.Type == labels.MatchEqual })
					if i < 0 {
						return
					}
					values = append(values, s.LabelMatchers[i].Value)
				}
				if pattern.MatchString(strings.Join(values, ";")) {
					t.Errorf("%s: %s reads %s, which Prometheus does not keep", r.file, r.name(), s)
				}
			})
		}
	}
}

// A group that is evaluated less often says so by its name.
func TestSlowGroupsAreCalledSo(t *testing.T) {
	for _, name := range ruleFiles(t) {
		file, errs := rulefmt.ParseFile(name)
		if len(errs) > 0 {
			t.Fatalf("%s: %v", name, errs)
		}
		for _, g := range file.Groups {
			want := model.Duration(0)
			if strings.HasSuffix(g.Name, "-slow") {
				want = model.Duration(30 * time.Second)
			}
			if g.Interval != want {
				t.Errorf("%s: %s has the interval %s, want %s", name, g.Name, g.Interval, want)
			}
		}
	}
}

// each visits the selectors of an expression.
func each(expr parser.Expr, visit func(*parser.VectorSelector)) {
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			visit(s)
		}
		return nil
	})
}

// What a rule reads of what others record has to be recorded, and not by the rule itself: D-18, as
// v1.5.1 did it with pg:db:tup_updated_rate1m.
func TestWhatIsReadIsRecorded(t *testing.T) {
	all := allRules(t)
	recorded := make(map[string]bool)
	for _, r := range all {
		recorded[r.name()] = !r.alert()
	}
	for _, r := range all {
		each(r.expr, func(s *parser.VectorSelector) {
			switch {
			case strings.Contains(s.Name, ":") && !recorded[s.Name]:
				t.Errorf("%s: %s reads %s, which no rule records", r.file, r.name(), s.Name)
			case s.Name == r.name():
				t.Errorf("%s: %s reads itself", r.file, r.name())
			}
		})
	}
}

// A rule of a group sees what the rules before it have just recorded, and of those behind it only what
// they recorded the time before.
func TestRulesFollowWhatTheyRead(t *testing.T) {
	at := make(map[string]int)
	all := allRules(t)
	for i, r := range all {
		if !r.alert() {
			at[r.file+r.group+r.name()] = i
		}
	}
	for i, r := range all {
		each(r.expr, func(s *parser.VectorSelector) {
			if other, ok := at[r.file+r.group+s.Name]; ok && other > i {
				t.Errorf("%s: %s stands before %s, which it reads", r.file, r.name(), s.Name)
			}
		})
	}
}
