package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/golden"
)

const pages = "../docs/alerts"

// alert is an alerting rule, as far as people see it.
type alert struct {
	Alert       string            `yaml:"alert"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// readAlerts gives all alerts in the order of their files.
func readAlerts(t *testing.T) []alert {
	t.Helper()
	var out []alert
	for _, f := range Files() {
		var doc struct {
			Groups []struct {
				Rules []alert `yaml:"rules"`
			} `yaml:"groups"`
		}
		if err := yaml.Unmarshal([]byte(f.Text), &doc); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		for _, g := range doc.Groups {
			out = append(out, slices.DeleteFunc(g.Rules, func(a alert) bool { return a.Alert == "" })...)
		}
	}
	if len(out) == 0 {
		t.Fatal("found no alert")
	}
	return out
}

// page is what docs/alerts says of an alert.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(pages, name+".md"))
	if err != nil {
		t.Fatalf("an alert has no page: %v", err)
	}
	return string(text)
}

func TestEveryAlertSaysWhatItIs(t *testing.T) {
	severities := []string{"CRIT", "WARN", "INFO"} // by level
	name := regexp.MustCompile(`^[A-Z][a-z]+([A-Z][a-z0-9]+)+$`)
	where := regexp.MustCompile(`\$labels\.(ins|instance|cls|ip|address|job)\b`)
	seen := make(map[string]bool)
	for _, a := range readAlerts(t) {
		if !name.MatchString(a.Alert) || seen[a.Alert] {
			t.Errorf("%s is not a name of its own", a.Alert)
		}
		seen[a.Alert] = true
		level := slices.Index(severities, a.Labels["severity"])
		if level < 0 || a.Labels["level"] != fmt.Sprint(level) {
			t.Errorf("%s: level %q and severity %q", a.Alert, a.Labels["level"], a.Labels["severity"])
		}
		if !slices.Contains([]string{"infra", "nodes", "pgsql"}, a.Labels["category"]) {
			t.Errorf("%s: category %q", a.Alert, a.Labels["category"])
		}
		if a.Annotations["summary"] == "" || strings.HasSuffix(a.Annotations["summary"], ".") {
			t.Errorf("%s: summary %q is no heading", a.Alert, a.Annotations["summary"])
		}
		if d := a.Annotations["description"]; !where.MatchString(d) || !strings.Contains(d, "$value") || !strings.HasSuffix(d, ".") {
			t.Errorf("%s: description %q does not say where, or how much", a.Alert, d)
		}
		if a.Annotations["runbook"] != "docs/alerts/"+a.Alert+".md" {
			t.Errorf("%s: its runbook is %s", a.Alert, a.Annotations["runbook"])
		}
	}
}

func TestEveryAlertHasAPage(t *testing.T) {
	heads := []string{"What users feel", "How to look", "What to do", "When it resolves"}
	known := []string{"README.md"}
	for _, a := range readAlerts(t) {
		known = append(known, a.Alert+".md")
		text := page(t, a.Alert)
		title, _, _ := strings.Cut(text, "\n")
		if title != "# "+a.Alert {
			t.Errorf("%s.md begins with %q", a.Alert, title)
		}
		var got []string
		for _, part := range strings.Split(text, "\n## ")[1:] {
			head, body, _ := strings.Cut(part, "\n")
			got = append(got, head)
			if strings.TrimSpace(body) == "" {
				t.Errorf("%s.md says nothing under %q", a.Alert, head)
			}
		}
		if !slices.Equal(got, heads) {
			t.Errorf("%s.md has the parts %q, want %q", a.Alert, got, heads)
		}
	}
	entries, err := os.ReadDir(pages)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(known, e.Name()) {
			t.Errorf("docs/alerts/%s is about no alert", e.Name())
		}
	}
}

var (
	command = regexp.MustCompile("(?:^ {4}|`)pigsty ([a-z][^`]*)")
	link    = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
)

// What a page tells people to run and to read is there.
func TestPagesNameWhatExists(t *testing.T) {
	for _, a := range readAlerts(t) {
		for _, line := range strings.Split(page(t, a.Alert), "\n") {
			for _, m := range command.FindAllStringSubmatch(line, -1) {
				if !documented(m[1]) {
					t.Errorf("%s.md: there is no command pigsty %s", a.Alert, m[1])
				}
			}
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				if _, err := os.Stat(filepath.Join(pages, m[1])); err != nil {
					t.Errorf("%s.md leads nowhere: %v", a.Alert, err)
				}
			}
		}
	}
}

// documented tells whether a command line begins with a command that docs/commands describes, and
// has only flags that its page has.
func documented(line string) bool {
	words := strings.Fields(line)
	for n := min(3, len(words)); n > 0; n-- {
		text, err := os.ReadFile("../docs/commands/pigsty_" + strings.Join(words[:n], "_") + ".md")
		if err != nil {
			continue
		}
		arguments, _, _ := strings.Cut(line, `"`) // what stands in quotes is SQL's
		for _, word := range strings.Fields(arguments)[n:] {
			if strings.HasPrefix(word, "-") && !strings.Contains(string(text), word) {
				return false
			}
		}
		return n == len(words) || !regexp.MustCompile(`^[a-z]+$`).MatchString(words[n])
	}
	return false
}

// The index is made of the rules and of the first sentence of each page.
func TestIndexIsUpToDate(t *testing.T) {
	titles := map[string]string{"infra": "The platform itself", "nodes": "Machines", "pgsql": "PostgreSQL"}
	var b strings.Builder
	b.WriteString("# Alerts\n\nGenerated from `rules/alert-*.yml` and these pages by `make generate`.\n\n" +
		"CRIT: people wait or lose something now. WARN: they will, or a safeguard is gone. INFO: worth knowing. " +
		"An alert fires when its cause has lasted for the time under \"after\", and names its page as `runbook`.\n")
	category := ""
	for _, a := range readAlerts(t) {
		if c := a.Labels["category"]; c != category {
			category = c
			fmt.Fprintf(&b, "\n## %s\n\n| alert | severity | after | means |\n|---|---|---|---|\n", titles[c])
		}
		_, text, _ := strings.Cut(page(t, a.Alert), "\n\n")
		text, _, _ = strings.Cut(text, "\n")
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s |\n", a.Alert, a.Alert, a.Labels["severity"], a.For, firstSentence(text))
	}
	golden.Compare(t, pages+"/README.md", b.String())
}

func firstSentence(text string) string {
	if i := strings.Index(text, ". "); i >= 0 {
		return text[:i+1]
	}
	return text
}
