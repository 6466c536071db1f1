package infra_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pigsty/internal/engine"
	"pigsty/internal/fact"
	"pigsty/internal/golden"
	"pigsty/internal/inventory"
	"pigsty/internal/model"
	"pigsty/internal/module/infra"
	"pigsty/internal/param"
	"pigsty/internal/register"
	"pigsty/internal/resource"
	"pigsty/internal/secret"
)

// cases are the inventories in testdata.
var cases = []string{"one", "two", "off"}

func deployment(t *testing.T, name string) *model.Deployment {
	t.Helper()
	generated := map[string]string{}
	for _, s := range param.Secrets() {
		generated[s] = "sentinel-" + s
	}
	inv, problems := inventory.Load(filepath.Join("testdata", name+".yml"), inventory.Options{Generated: generated})
	problems.Add(param.Check(inv)...)
	d, more := model.Build(inv)
	problems.Add(more...)
	if problems.HasErrors() {
		t.Fatal(problems.Err())
	}
	facts := map[string]fact.Node{}
	for _, n := range d.Nodes {
		facts[n.Addr] = fact.Node{OS: "debian", Release: 13, Arch: "amd64"}
	}
	d.Observe(facts)
	d.CA = "-----BEGIN CERTIFICATE-----\nAAECAwQFBgcICQ==\n-----END CERTIFICATE-----\n"
	d.Derive = secret.Seed(strings.Repeat("s", 32)).Derive
	return d
}

func TestCompile(t *testing.T) {
	for _, name := range cases {
		t.Run(name, func(t *testing.T) {
			steps := infra.Compile(deployment(t, name))
			if _, err := engine.NewGraph(steps); err != nil {
				t.Error(err)
			}
			golden.Compare(t, filepath.Join("testdata", name+".txt"), golden.Steps(steps))
		})
	}
}

// Nothing of a secret may be in a resource that is not marked as one.
func TestSecretsStayInSecretFiles(t *testing.T) {
	found := 0
	for _, name := range cases {
		for _, s := range infra.Compile(deployment(t, name)) {
			if f, ok := s.Resource.(*resource.File); ok && f.Secret {
				found++
				continue
			}
			text, err := json.Marshal(s.Resource)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "sentinel-") {
				t.Errorf("%s: %s has a secret", name, resource.ID(s.Resource))
			}
		}
	}
	if found == 0 {
		t.Error("no case has a secret file")
	}
}

// What does not run is not to be scraped, and everything that is scraped runs.
func TestOnlyWhatRunsIsScraped(t *testing.T) {
	for _, name := range cases {
		for _, s := range infra.Compile(deployment(t, name)) {
			if s.Branch != register.Branch {
				continue
			}
			f := s.Resource.(*resource.File)
			if got := strings.Contains(f.Content, `type: "nginx"`); got != (name == "one" || name == "two" && s.About == "10.10.10.10") {
				t.Errorf("%s: nginx of %s is scraped: %v", name, s.About, got)
			}
		}
	}
}

// Two infrastructure nodes know of each other.
func TestTwoNodesShareWhatTheyKnow(t *testing.T) {
	targets := map[string][]string{}
	for _, s := range infra.Compile(deployment(t, "two")) {
		if s.Branch == register.Branch {
			targets[s.Node] = append(targets[s.Node], s.About)
		}
	}
	for _, node := range []string{"10.10.10.10", "10.10.10.11"} {
		if !slices.Equal(targets[node], []string{"10.10.10.10", "10.10.10.11"}) {
			t.Errorf("%s scrapes %v", node, targets[node])
		}
	}
}
