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
	"pigsty/internal/model"
	"pigsty/internal/model/modeltest"
	"pigsty/internal/module/infra"
	"pigsty/internal/register"
	"pigsty/internal/resource"
)

// cases are the inventories in testdata.
var cases = []string{"one", "two", "off"}

func deployment(t *testing.T, name string) *model.Deployment {
	t.Helper()
	d := modeltest.Read(t, filepath.Join("testdata", name+".yml"), "")
	facts := map[string]fact.Node{}
	for _, n := range d.Nodes {
		facts[n.Addr] = fact.Node{OS: "debian", Release: 13, Arch: "amd64", CPUs: 4}
	}
	d.Observe(facts)
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
			if strings.Contains(string(text), modeltest.Sentinel) {
				t.Errorf("%s: %s has a secret", name, resource.ID(s.Resource))
			}
		}
	}
	if found == 0 {
		t.Error("no case has a secret file")
	}
}

// What does not run is not to be scraped or probed, and everything that is runs.
func TestOnlyWhatRunsIsScraped(t *testing.T) {
	for _, name := range cases {
		for _, s := range infra.Compile(deployment(t, name)) {
			if s.Branch != register.Branch {
				continue
			}
			f := s.Resource.(*resource.File)
			if got := strings.Contains(f.Content, `type: "nginx"`); got != (name == "one" || name == "two" && slices.Contains(s.About, "10.10.10.10")) {
				t.Errorf("%s: nginx of %s is scraped: %v", name, s.About, got)
			}
		}
	}
}

// What is wished for and not done is told, with its place.
func TestWarnings(t *testing.T) {
	var b strings.Builder
	for _, w := range infra.Warnings(deployment(t, "two")) {
		b.WriteString(w.String() + "\n")
	}
	golden.Compare(t, filepath.Join("testdata", "two.warnings.txt"), b.String())
	if l := infra.Warnings(deployment(t, "one")); len(l) > 0 {
		t.Errorf("defaults are warned of: %v", l)
	}
}

// A node that cannot be asked keeps the name by which it is known.
func TestUnknownNodeStaysRegistered(t *testing.T) {
	d := deployment(t, "one")
	d.Observe(nil)
	d.Metas[0].Node.Name = ""
	for _, s := range infra.Compile(d) {
		if s.Branch == register.Branch {
			t.Errorf("%s is written anew", resource.ID(s.Resource))
		}
	}
}

// Through the portal, whose certificate Loki trusts, nobody may write or delete logs.
func TestPortalReadsLogsOnly(t *testing.T) {
	for _, s := range infra.Compile(deployment(t, "one")) {
		f, ok := s.Resource.(*resource.File)
		if !ok || f.Path != "/etc/nginx/conf.d/pigsty.conf" {
			continue
		}
		ways := strings.Split(f.Content, "proxy_pass https://127.0.0.1:3100")
		for _, before := range ways[:len(ways)-1] {
			if !strings.Contains(before[strings.LastIndex(before, "location "):], "limit_except GET") {
				t.Errorf("a way to Loki takes more than questions: %s", before[strings.LastIndex(before, "location "):])
			}
		}
		if len(ways) != 4 { // by its own name, and two of the page of logs
			t.Errorf("%d ways to Loki", len(ways)-1)
		}
		return
	}
	t.Error("the portal has no servers")
}

// Two infrastructure nodes know of each other.
func TestTwoNodesShareWhatTheyKnow(t *testing.T) {
	targets := map[string][]string{}
	for _, s := range infra.Compile(deployment(t, "two")) {
		if s.Branch == register.Branch {
			if strings.HasPrefix(s.Resource.(*resource.File).Path, register.TargetsDir+"/infra/") {
				targets[s.Node] = append(targets[s.Node], s.About...)
			}
		}
	}
	for _, node := range []string{"10.10.10.10", "10.10.10.11"} {
		if !slices.Equal(targets[node], []string{"10.10.10.10", "10.10.10.11"}) {
			t.Errorf("%s scrapes %v", node, targets[node])
		}
	}
}

// The exporter of Debian 12 has no file for its certificate, and reads it once.
func TestNginxExporterOfDebian12(t *testing.T) {
	d := modeltest.Read(t, "testdata/one.yml", "")
	d.Observe(map[string]fact.Node{d.Nodes[0].Addr: {OS: "debian", Release: 12, Arch: "amd64"}})
	args, restarted := "", false
	for _, s := range infra.Compile(d) {
		switch r := s.Resource.(type) {
		case *resource.File:
			if r.Path == "/etc/default/prometheus-nginx-exporter" {
				args = r.Content
			}
			if strings.Contains(r.Path, "nginx-exporter-web") {
				t.Errorf("%s is not for it", r.Path)
			}
		case *resource.Certificate:
			restarted = restarted || strings.Contains(r.Path, "nginx-exporter") && slices.Contains(s.Notify, resource.RestartOf(model.NginxExporterUnit))
		}
	}
	for _, want := range []string{"--web.secured-metrics", "--web.ssl-server-cert=/etc/pigsty/infra/nginx-exporter.crt", "--web.ssl-server-key=/etc/pigsty/infra/nginx-exporter.key"} {
		if !strings.Contains(args, want) || strings.Contains(args, "config.file") {
			t.Errorf("no %s in %s", want, args)
		}
	}
	if !restarted {
		t.Error("a new certificate does not restart it")
	}
}
