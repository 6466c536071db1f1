package infra

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"pigsty/rules"
)

// configuration is what there is in a file of Alertmanager's, as far as it matters here.
type configuration struct {
	Route     map[string]string   `yaml:"route"`
	Receivers []map[string]string `yaml:"receivers"`
	Inhibit   []struct {
		Source []string `yaml:"source_matchers"`
		Target []string `yaml:"target_matchers"`
		Equal  []string `yaml:"equal"`
	} `yaml:"inhibit_rules"`
}

func TestOwnConfigurationIsInhibited(t *testing.T) {
	want := configuration{Route: map[string]string{"receiver": "team"}, Receivers: []map[string]string{{"name": "team"}}}
	if err := yaml.Unmarshal([]byte(templates.Fill(inhibition, nil)), &want); err != nil {
		t.Fatal(err)
	}
	for name, own := range map[string]string{
		"block":           "route:\n  receiver: team\n\nreceivers:\n  - name: team",
		"flow":            "{route: {receiver: team}, receivers: [{name: team}]}\n",
		"indented":        "  route: { receiver: team }\n  receivers: [{ name: team }]\n",
		"after a comment": "# ours\n---\nroute: { receiver: team }\nreceivers: [{ name: team }]\n",
	} {
		got := inhibited(own)
		var read configuration
		if err := yaml.Unmarshal([]byte(got), &read); err != nil {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
		if diff := cmp.Diff(want, read); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestOwnInhibitionStays(t *testing.T) {
	for name, own := range map[string]string{
		"rules":       "route: { receiver: team }\ninhibit_rules:\n  - source_matchers: [a = b]\n    target_matchers: [c = d]\n",
		"none wanted": "route: { receiver: team }\ninhibit_rules: []\n",
		"no YAML":     "route: [\n",
		"no mapping":  "- route\n",
		"empty":       "",
	} {
		if got := inhibited(own); got != own {
			t.Errorf("%s: %q became %q", name, own, got)
		}
	}
}

// What inhibits and is inhibited are alerts that there are.
func TestInhibitionNamesAlerts(t *testing.T) {
	var alerts strings.Builder
	for _, f := range rules.Files() {
		alerts.WriteString(f.Text)
	}
	var c configuration
	if err := yaml.Unmarshal([]byte(templates.Fill(inhibition, nil)), &c); err != nil || len(c.Inhibit) == 0 {
		t.Fatal(err)
	}
	for _, rule := range c.Inhibit {
		if len(rule.Equal) == 0 {
			t.Errorf("%v silences %v everywhere", rule.Source, rule.Target)
		}
		for _, matcher := range append(rule.Source, rule.Target...) {
			_, name, _ := strings.Cut(matcher, `= "`)
			if !strings.Contains(alerts.String(), "- alert: "+strings.TrimSuffix(name, `"`)+"\n") {
				t.Errorf("no alert for %s", matcher)
			}
		}
	}
}
