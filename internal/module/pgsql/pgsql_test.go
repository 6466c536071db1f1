package pgsql_test

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
	"pigsty/internal/module/pgsql"
	"pigsty/internal/param"
	"pigsty/internal/resource"
	"pigsty/internal/secret"
)

// machine is a Debian 13 node of 4 processors, 8 GB and 64 GB of disk.
func machine(addr string) fact.Node {
	return fact.Node{
		OS: "debian", Release: 13, Codename: "trixie", Arch: "amd64",
		CPUs: 4, Memory: 8 << 30, Disk: 64 << 30,
		Addresses: []fact.Address{{Interface: "lo", Prefix: "127.0.0.1/8"}, {Interface: "host0", Prefix: addr + "/24"}},
	}
}

// cases are the inventories in testdata and what is special about their machines.
var cases = map[string]func(addr string, n *fact.Node){
	"single": nil,
	"trio":   nil,
	"running": func(addr string, n *fact.Node) {
		n.PgData = true
		n.Patroni = &fact.Patroni{Role: "replica", State: "running", Timeline: 2, Leader: "pg-test-2"}
		if addr == "10.10.10.12" {
			n.Patroni.Role = "primary"
		}
	},
	"choices": func(_ string, n *fact.Node) { n.Release, n.Codename = 12, "bookworm" },
	"standby": nil,
}

// deployment reads a case. Every generated secret says "sentinel" and has what is hard to quote.
func deployment(t testing.TB, name string) *model.Deployment {
	t.Helper()
	generated := map[string]string{}
	for _, s := range param.Secrets() {
		generated[s] = `sentinel-` + s + `"\$'`
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
		f := machine(n.Addr)
		if change := cases[name]; change != nil {
			change(n.Addr, &f)
		}
		facts[n.Addr] = f
	}
	d.Observe(facts)
	d.CA = "-----BEGIN CERTIFICATE-----\nAAECAwQFBgcICQ==\n-----END CERTIFICATE-----\n"
	d.Derive = secret.Seed(strings.Repeat("s", 32)).Derive
	return d
}

// others stand in for the step of another module that pgsql waits for.
func others(d *model.Deployment) []resource.Step {
	return []resource.Step{{Node: d.Etcd.Keeper().Addr, Module: "etcd", Resource: &resource.EtcdAccess{Store: d.Etcd.Name}}}
}

func TestCompile(t *testing.T) {
	for name := range cases {
		t.Run(name, func(t *testing.T) {
			d := deployment(t, name)
			steps := pgsql.Compile(d)
			if _, err := engine.NewGraph(append(others(d), steps...)); err != nil {
				t.Error(err)
			}
			golden.Compare(t, filepath.Join("testdata", name+".txt"), golden.Steps(steps))
			if again := golden.Steps(pgsql.Compile(deployment(t, name))); again != golden.Steps(steps) {
				t.Error("a second compile gives something else")
			}
		})
	}
}

// withoutSecrets is a resource as JSON less the fields that are never shown.
func withoutSecrets(t *testing.T, r resource.Resource) string {
	t.Helper()
	if f, ok := r.(*resource.File); ok && f.Secret {
		return ""
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	data, err = json.Marshal(masked(tree))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func masked(tree any) any {
	switch v := tree.(type) {
	case map[string]any:
		for name, value := range v {
			if v[name] = masked(value); name == "password" || name == "verifier" {
				v[name] = "***"
			}
		}
	case []any:
		for i := range v {
			v[i] = masked(v[i])
		}
	}
	return tree
}

func TestSecretsStayInSecretFiles(t *testing.T) {
	for name := range cases {
		seen := false
		for _, s := range pgsql.Compile(deployment(t, name)) {
			text := withoutSecrets(t, s.Resource)
			for _, word := range []string{"sentinel", "PRIVATE KEY", "SCRAM-SHA-256$"} {
				if strings.Contains(text, word) {
					t.Errorf("%s: %s shows %q", name, resource.ID(s.Resource), word)
				}
			}
			f, ok := s.Resource.(*resource.File)
			if !ok || !f.Secret {
				continue
			}
			seen = true
			if f.Mode != 0o600 {
				t.Errorf("%s: %s has mode %o", name, f.Path, f.Mode)
			}
		}
		if !seen {
			t.Errorf("%s has no secret file", name)
		}
	}
}

// after lists the nodes that a step waits for, by the step's ID.
func after(steps []resource.Step, node, id string) []string {
	var nodes []string
	for _, s := range steps {
		if s.Node != node || resource.ID(s.Resource) != id {
			continue
		}
		for _, r := range s.After {
			if strings.HasPrefix(r.ID, "pg_ready:") {
				nodes = append(nodes, r.Node)
			}
		}
	}
	return nodes
}

func TestOrder(t *testing.T) {
	const first, second, third = "10.10.10.11", "10.10.10.12", "10.10.10.13"
	member := func(role string) *fact.Patroni { return &fact.Patroni{Role: role, State: "running"} }
	for _, c := range []struct {
		title string
		facts map[string]*fact.Patroni // of members with data; nil when Patroni does not answer
		want  map[string][]string
	}{
		{"new: the declared primary, then all replicas", nil,
			map[string][]string{first: nil, second: {first}, third: {first}}},
		{"running: one after the other, the leader last",
			map[string]*fact.Patroni{first: member("replica"), second: member("primary"), third: member("replica")},
			map[string][]string{first: nil, third: {first}, second: {third}}},
		{"running, one member new: it copies from the leader and nobody waits for it",
			map[string]*fact.Patroni{first: member("replica"), second: member("master")},
			map[string][]string{first: nil, second: {first}, third: {second}}},
		{"after a power cut: all at once", map[string]*fact.Patroni{first: nil, second: nil, third: nil},
			map[string][]string{first: nil, second: nil, third: nil}},
	} {
		d := deployment(t, "trio")
		for addr, p := range c.facts {
			n := d.Node(addr)
			n.Facts.PgData, n.Facts.Patroni = true, p
		}
		steps := pgsql.Compile(d)
		for node, want := range c.want {
			if got := after(steps, node, "unit:patroni.service"); !slices.Equal(got, want) {
				t.Errorf("%s: %s waits for %v, not %v", c.title, node, got, want)
			}
		}
		if _, err := engine.NewGraph(append(others(d), steps...)); err != nil {
			t.Errorf("%s: %v", c.title, err)
		}
	}
}

// A member that cannot be asked must not change what others get.
func TestUnknownMemberChangesNoFileOfOthers(t *testing.T) {
	d := deployment(t, "trio")
	text := func() string {
		var kept []resource.Step
		for _, s := range pgsql.Compile(d) {
			if _, config := s.Resource.(*resource.PatroniConfig); s.Node != "10.10.10.13" && !config {
				s.After = nil
				kept = append(kept, s)
			}
		}
		return golden.Steps(kept)
	}
	before := text()
	n := d.Node("10.10.10.13")
	n.Known, n.Facts = false, fact.Node{}
	if text() != before {
		t.Error("files of other members changed")
	}
}
