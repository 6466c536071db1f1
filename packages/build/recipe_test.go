package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The recipes that ship.
func TestRecipesAreWhole(t *testing.T) {
	all, err := loadRecipes("..", nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
		if r.Service != nil {
			checkService(t, r)
		}
	}
	if want := []string{"grafana-loki", "pigsty", "promtail"}; !slices.Equal(names, want) {
		t.Errorf("recipes %q, want %q", names, want)
	}
}

// checkService looks at the unit: it runs as the user that the package makes, keeps its data where
// the package says, and can change nothing else.
func checkService(t *testing.T, r *recipe) {
	t.Helper()
	at := slices.IndexFunc(r.Files, func(f file) bool { return filepath.Base(f.To) == r.Service.Unit })
	text, err := os.ReadFile(filepath.Join(r.dir, r.Files[at].From))
	if err != nil {
		t.Fatal(err)
	}
	unit := strings.Split(string(text), "\n")
	for _, want := range []string{
		"User=" + r.Service.User, "StateDirectory=" + filepath.Base(r.Service.State),
		"NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateDevices=yes",
		"SystemCallFilter=@system-service", "WantedBy=multi-user.target",
	} {
		if !slices.Contains(unit, want) {
			t.Errorf("%s: %s is missing", r.Service.Unit, want)
		}
	}
	for _, f := range r.Files {
		if strings.HasPrefix(f.To, "/etc/") != f.Config {
			t.Errorf("%s: %s: what is below /etc belongs to people, and nothing else does", r.Name, f.To)
		}
	}
}

func TestBrokenRecipesAreRefused(t *testing.T) {
	tests := []struct {
		old, new string // a change of the recipe toy
		want     string
	}{
		{"name: toy", "name: Toy", `name "Toy"`},
		{"version: 1.2.0", "version: 1.3.0", "version 1.3.0 is not that of example.org/greeting in"},
		{"version: 1.2.0", "version: v1.2.0", `version "v1.2.0"`},
		{"revision: 3", "revision: 0", "revision 0"},
		{"date: 2026-01-31", "", "date"},
		{"licence: MIT", "", "licence is missing"},
		{"licence: MIT", "license: MIT", "license"},
		{"upstream: example.org/greeting", "upstream: example.org/other", "does not require example.org/other"},
		{"to: /etc/toy/config.yml", "to: etc/toy/config.yml", `"etc/toy/config.yml" is not a clean absolute path`},
		{"from: config.yml", "from: none.yml", "there is no none.yml"},
		{`mode: "0640"`, `mode: "rw"`, "is not octal"},
		{"unit: toy.service", "unit: tool.service", `the unit "tool.service" is not among the files`},
		{"  rpm:\n", "  apk:\n", `no format "apk"`},
	}
	for _, test := range tests {
		s := newSite(t)
		text := s.text("toy/package.yaml")
		if !strings.Contains(text, test.old) {
			t.Fatalf("the recipe has no %q", test.old)
		}
		s.write("toy/package.yaml", strings.Replace(text, test.old, test.new, 1))
		_, err := s.build("toy")
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "package.yaml") {
			t.Errorf("%q instead of %q gives %v, want %q", test.new, test.old, err, test.want)
		}
	}
}

func TestArgumentsAreChecked(t *testing.T) {
	s := newSite(t)
	for _, test := range [][]string{
		{"nothing", `unknown recipe "nothing": it is one of absent, toy`},
		{"-arch=mips", `unknown architecture "mips": it is one of amd64, arm64`},
		{"-format=apk", `unknown format "apk": it is one of deb, rpm`},
	} {
		if _, err := s.build(test[0]); err == nil || err.Error() != test[1] {
			t.Errorf("%s gives %v, want %s", test[0], err, test[1])
		}
	}
	s.recipes = t.TempDir()
	if _, err := s.build(); err == nil || !strings.Contains(err.Error(), "no recipe in") {
		t.Errorf("a folder without recipes gives %v", err)
	}
}

func TestPackageVersion(t *testing.T) {
	date := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for told, want := range map[string]string{
		"v1.2.3":                      "1.2.3",
		"1.2.3":                       "1.2.3",
		"v2.0.0-rc.1":                 "2.0.0~rc.1",
		"v1.2.3-7-g0a1b2c3":           "1.2.3+7.g0a1b2c3",
		"v2.0.0-beta1-7-g0a1b2c3":     "2.0.0~beta1+7.g0a1b2c3",
		"v1.2.3-7-g0a1b2c3-dirty":     "1.2.3+7.g0a1b2c3+dirty",
		"v1.2.3-dirty":                "1.2.3+dirty",
		"0a1b2c3":                     "0~git20261123.0a1b2c3",
		"1234567":                     "0~git20261123.1234567",
		"0a1b2c3-dirty":               "0~git20261123.0a1b2c3.dirty",
		"devel":                       "0~git20261123.devel",
		"feature/some_thing-g0a1b2c3": "0~git20261123.feature.some.thing.g0a1b2c3",
	} {
		got := packageVersion(told, date)
		if got != want || !versionForm.MatchString(got) {
			t.Errorf("%s gives %s, want %s", told, got, want)
		}
	}
}
