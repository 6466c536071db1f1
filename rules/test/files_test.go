package rules_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

var (
	recordName = regexp.MustCompile(`^([a-z]+:)?(ins|cls|env|db|dev|fs|cpu|pool|table|query|node|pg|pgbouncer|haproxy|etcd):[a-z0-9_]+$`)
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

// each visits the selectors of an expression.
func each(expr parser.Expr, visit func(*parser.VectorSelector)) {
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			visit(s)
		}
		return nil
	})
}

// What a rule reads of what others record has to be recorded, and not by the rule itself.
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
