package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

const alerts = `# Says why.
groups:
  - name: first # of two
    rules:
      - record: a:b:c
        expr: >-
          sum(d)
      # This one wakes people.
      - alert: Down
        expr: up < 1
        for: 1m
        keep_firing_for: 1h30m # long
  - name: second
    interval: 1m
    rules:
      - alert: Gone
        expr: absent(up)
        for: 1d
`

func TestPaceChangesDurationsAlone(t *testing.T) {
	got, err := Pace{Factor: 0.1, Shortest: "5s"}.Apply(File{Name: "a.yml", Text: alerts})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(
		"for: 1m", "for: 6000ms",
		"1h30m # long", "540000ms # long",
		"interval: 1m", "interval: 6000ms",
		"for: 1d", "for: 8640000ms",
	).Replace(alerts)
	if diff := cmp.Diff(want, got.Text); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
}

func TestPaceOfIntervals(t *testing.T) {
	for name, c := range map[string]struct {
		pace Pace
		want string
	}{
		"as written":         {Pace{}, "interval: 1m\n"},
		"slower":             {Pace{Factor: 2}, "interval: 120000ms\n"},
		"quicker":            {Pace{Factor: 0.5, Shortest: "10s"}, "interval: 30000ms\n"},
		"not that quick":     {Pace{Factor: 0.01, Shortest: "10s"}, "interval: 10000ms\n"},
		"scraped less often": {Pace{Shortest: "1h"}, "interval: 3600000ms\n"},
		"scraped more often": {Pace{Shortest: "5s"}, "interval: 1m\n"},
	} {
		got, err := c.pace.Apply(File{Name: "a.yml", Text: alerts})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(got.Text, "interval:") != 1 || !strings.Contains(got.Text, c.want) {
			t.Errorf("%s: no %q in\n%s", name, c.want, got.Text)
		}
	}
}

func TestPaceNamesWhatItCannotRead(t *testing.T) {
	for want, text := range map[string]string{
		`rules in a.yml: line 5: "soon" is no duration`: "groups:\n- name: a\n  rules:\n  - alert: A\n    for: soon\n",
		`rules in a.yml: line 5: "5" is no duration`:    "groups:\n- name: a\n  rules:\n  - alert: A\n    for: 5\n",
		`rules in a.yml: line 5: "1m1h" is no duration`: "groups:\n- name: a\n  rules:\n  - alert: A\n    for: 1m1h\n",
		`rules in a.yml: line 5: "" is no duration`:     "groups:\n- name: a\n  rules:\n  - alert: A\n    for: ''\n",
		"rules in a.yml: line 5: write the duration 1m": "groups:\n- name: a\n  rules:\n  - alert: A\n    for: '1m'\n",
		`rules in a.yml: line 3: "no" is no duration`:   "groups:\n- name: a\n  interval: no\n",
		"rules in a.yml: yaml":                          "groups: [",
	} {
		_, err := Pace{Factor: 2}.Apply(File{Name: "a.yml", Text: text})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for _, p := range []Pace{{Factor: -1}, {Shortest: "often"}} {
		if _, err := p.Apply(File{}); err == nil {
			t.Errorf("%v is taken", p)
		}
	}
}

// Every file of ours can be made quicker, and stays what it is: only durations differ.
func TestAllFilesTakeAPace(t *testing.T) {
	files := Files()
	if len(files) == 0 {
		t.Fatal("no rules are embedded")
	}
	for _, f := range files {
		quick, err := Pace{Factor: 0.01, Shortest: "2s"}.Apply(f)
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(read(t, f), read(t, quick)); diff != "" {
			t.Errorf("%s, want -, got +\n%s", f.Name, diff)
		}
		if strings.Count(quick.Text, "\n    interval: 2000ms\n") != strings.Count(f.Text, "\n    interval: ") {
			t.Errorf("%s: an interval stayed as it was", f.Name)
		}
	}
}

// read gives a file without its durations.
func read(t *testing.T, f File) any {
	t.Helper()
	var doc struct {
		Groups []map[string]any `yaml:"groups"`
	}
	if err := yaml.Unmarshal([]byte(f.Text), &doc); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	for _, g := range doc.Groups {
		delete(g, "interval")
		for _, r := range g["rules"].([]any) {
			delete(r.(map[string]any), "for")
			delete(r.(map[string]any), "keep_firing_for")
		}
	}
	return doc.Groups
}
