package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pigsty/internal/engine"
	"pigsty/internal/resource"
)

// simulated are the modules that simulated nodes can carry out to the end: others need servers
// that answer.
const simulated = "node"

func TestPlanApplyPlan(t *testing.T) {
	s := sandboxSite(t)
	plan := s.must(exitPending, "plan", "-t", simulated)
	if !strings.Contains(plan.out, "pg-test-3  10.10.10.13\n") || !strings.Contains(plan.out, "on 4 nodes.") {
		t.Errorf("first plan:\n%s", plan.out)
	}
	if entries, _ := os.ReadDir(filepath.Join(s.dir, ".pigsty", "site", "journal")); len(entries) > 0 {
		t.Error("a plan left a journal")
	}
	done := s.must(exitOK, "apply", "-y", "-t", simulated)
	if !strings.Contains(done.out, plan.out) || !strings.Contains(done.out, "Done: ") {
		t.Errorf("apply shows another plan than plan, or no end:\n%s", done.out)
	}
	again := s.must(exitOK, "plan", "-t", simulated)
	if !strings.Contains(again.out, "Nothing to do: 4 nodes are as the inventory wants.") {
		t.Errorf("second plan:\n%s", again.out)
	}
	if got := s.must(exitOK, "apply", "-t", simulated); strings.Contains(got.out, "Done") {
		t.Errorf("second apply, without --yes because nothing is to be confirmed:\n%s", got.out)
	}
}

func TestApplyAsksFirst(t *testing.T) {
	s := sandboxSite(t)
	got := s.must(exitFailed, "apply", "-t", simulated)
	if !strings.Contains(got.err, "nothing was changed: say --yes") {
		t.Errorf("%s", got.err)
	}
	s.must(exitPending, "plan", "-t", simulated)
}

// Nothing may be written beside an inventory that is wrong, and no node be reached.
func TestBadInventoryTouchesNothing(t *testing.T) {
	s := newSite(t, "all:\n  hosts: {10.0.0.1: {pg_seq: 1, pg_role: king, pg_cluster: a}}\n  vars: {pg_prot: 5432, node_dns_server: []}\n")
	s.fleet.Down = func(addr string) error {
		t.Errorf("%s was reached", addr)
		return nil
	}
	for _, args := range [][]string{{"plan"}, {"apply", "-y"}} {
		got := s.must(exitFailed, args...)
		for _, want := range []string{"site.yml:2:", "pg_role", "pg_port", "nothing was touched"} {
			if !strings.Contains(got.err, want) {
				t.Errorf("%v does not say %q:\n%s", args, want, got.err)
			}
		}
	}
	if entries, err := os.ReadDir(s.dir); err != nil || len(entries) != 1 {
		t.Errorf("beside the inventory: %v, %v", entries, err)
	}
}

func TestLimitAndModule(t *testing.T) {
	s := sandboxSite(t)
	s.must(exitOK, "apply", "-y", "-t", simulated, "-l", "pg-test:!10.10.10.13")
	left := s.must(exitPending, "plan", "-t", simulated)
	for addr, want := range map[string]bool{"10.10.10.10": true, "10.10.10.11": false, "10.10.10.12": false, "10.10.10.13": true} {
		if got := strings.Contains(left.out, "  "+addr+"\n"); got != want {
			t.Errorf("%s in the plan: %t, want %t", addr, got, want)
		}
	}
	if got := s.must(exitFailed, "plan", "-t", "nose"); !strings.Contains(got.err, `module "nose" is not known: choose from repo, node, `) {
		t.Errorf("%s", got.err)
	}
	if got := s.must(exitFailed, "plan", "-l", "nobody"); !strings.Contains(got.err, `nobody`) {
		t.Errorf("%s", got.err)
	}
}

func TestUnreachableNode(t *testing.T) {
	s := sandboxSite(t)
	s.fleet.Down = func(addr string) error {
		if addr == "10.10.10.12" {
			return fmt.Errorf("no route to host")
		}
		return nil
	}
	if got := s.must(exitFailed, "plan", "-t", simulated); !strings.Contains(got.out, "error: no route to host") || !strings.Contains(got.out, "1 node could not be reached") ||
		!strings.Contains(got.err, "not complete") || !strings.Contains(got.err, "10.10.10.12: no route to host") {
		t.Errorf("%s", got.out)
	}
	if got := s.must(exitFailed, "apply", "-y", "-t", simulated); !strings.Contains(got.out, "Not done: 1 failed") {
		t.Errorf("%s", got.out)
	}
	s.fleet.Down = nil
	if got := s.must(exitPending, "plan", "-t", simulated); !strings.Contains(got.out, "on 1 node.") {
		t.Errorf("the other nodes were not finished:\n%s", got.out)
	}
}

func TestJSONHoldsTheSameValues(t *testing.T) {
	s := sandboxSite(t)
	var plan engine.Plan
	if err := json.Unmarshal([]byte(s.must(exitPending, "plan", "--json", "-t", simulated).out), &plan); err != nil {
		t.Fatal(err)
	}
	if got := s.must(exitFailed, "apply", "--json", "-t", simulated); got.out != "" || !strings.Contains(got.err, "--yes") {
		t.Errorf("without --yes: %q, %q", got.out, got.err)
	}
	changed := 0
	for line := range strings.Lines(s.must(exitOK, "apply", "-y", "--json", "-t", simulated).out) {
		var e engine.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if e.Status == resource.Changed {
			changed++
		}
	}
	if changed != plan.Changes() || changed == 0 {
		t.Errorf("%d changes were planned and %d made", plan.Changes(), changed)
	}
	if got := s.must(exitOK, "apply", "--json", "-t", simulated).out; got != "{\"changes\":0,\"done\":true}\n" {
		t.Errorf("nothing to do: %q", got)
	}
}

var secretValue = regexp.MustCompile(`(?m)^[a-z_]+: ["']?([^"'\s]+)`)

// No secret, generated, given or derived, may be in anything that is printed or recorded.
func TestSecretsAreNeverShown(t *testing.T) {
	s := sandboxSite(t)
	s.edit("node_tune: tiny", "node_tune: tiny\n    pg_replication_password: MarkerGiven1")
	args := []string{"-e", "pg_monitor_password=MarkerExtra2"}
	shown := map[string]string{}
	// In this order: after the apply there is nothing left to plan.
	for _, line := range [][]string{
		{"plan", "--diff"},
		{"plan", "--json", "--diff"},
		{"plan", "-t", simulated, "-o", filepath.Join(s.dir, "kept.plan")},
		{"apply", "-y", "--diff", "-t", simulated},
	} {
		got := s.run(append(line, args...)...)
		shown[strings.Join(line, " ")] = got.out + got.err
	}
	for _, pattern := range []string{"kept.plan", ".pigsty/site/journal/*"} {
		paths, _ := filepath.Glob(filepath.Join(s.dir, pattern))
		if len(paths) == 0 {
			t.Fatalf("no %s was written", pattern)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			shown[path] = string(text)
		}
	}
	store, err := os.ReadFile(filepath.Join(s.dir, ".pigsty/site/secrets.yml"))
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{"MarkerGiven1", "MarkerExtra2", "DBUser.Meta", "DBUser.Viewer", "PRIVATE KEY", "SCRAM-SHA-256$"}
	for _, m := range secretValue.FindAllStringSubmatch(string(store), -1) {
		secrets = append(secrets, m[1])
	}
	if len(secrets) < 10 {
		t.Fatalf("found only %d secrets", len(secrets))
	}
	for where, text := range shown {
		if len(text) < 1000 {
			t.Errorf("%s shows only %q", where, text)
		}
		for i, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows secret %d, which begins with %.4s", where, i, secret)
			}
		}
	}
}
