package view

import (
	"bytes"
	"strings"
	"testing"

	"pigsty/internal/engine"
	"pigsty/internal/golden"
	"pigsty/internal/resource"
)

func pending(kind, name string, c *resource.Change) engine.Pending {
	return engine.Pending{Module: "m", Kind: kind, Name: name, Change: c}
}

// richPlan has one of everything that a plan can show.
func richPlan() *engine.Plan {
	note := "kernel modules cannot be loaded from inside a container"
	return &engine.Plan{Nodes: []engine.NodePlan{
		{Node: "10.0.0.1", Name: "pg-1", Steps: 9, Notes: []string{note, "only here"}, Changes: []engine.Pending{
			pending("file", "/etc/new", &resource.Change{Action: resource.Create, Diff: "--- /etc/new\n+++ /etc/new\n@@ -0,0 +1 @@\n+hello\n"}),
			pending("file", "/etc/hosts", &resource.Change{Action: resource.Update, Impact: resource.Reload, Diff: "--- /etc/hosts\n+++ /etc/hosts\n@@ -1,3 +1,3 @@\n kept\n-old\n--- a comment\n+new\n+++ more\n"}),
			pending("file", "/etc/secret", &resource.Change{Action: resource.Update, Fields: []resource.Field{{Name: "content", Before: "secret, 3 bytes", After: "secret, 4 bytes, different"}}}),
			pending("unit", "etcd.service", &resource.Change{Action: resource.Run, Impact: resource.Restart, Effect: "restart etcd, one member at a time"}),
			pending("pg_database", "shop", &resource.Change{Action: resource.Delete, Impact: resource.DataLoss}),
			pending("cron", "backup", &resource.Change{Action: resource.Update, Effect: "runs at 2 from now on", Fields: []resource.Field{{Name: "hour", Before: "1", After: "2"}, {Name: "mail", Before: "root"}}}),
			{Module: "m", Kind: "pg_role", Name: "app", Error: "connect to database: refused\nis the server running?"},
		}},
		{Node: "10.0.0.2", Name: "10.0.0.2", Steps: 9, Notes: []string{note}},
		{Node: "10.0.0.3", Name: "pg-3", Error: "cannot reach 10.0.0.3: no route; try: ssh 10.0.0.3 sudo -n true"},
	}}
}

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		plan    *engine.Plan
		options PlanOptions
	}{
		"rich":       {richPlan(), PlanOptions{}},
		"rich-diff":  {richPlan(), PlanOptions{Diff: true}},
		"rich-color": {richPlan(), PlanOptions{Color: true}},
		"empty":      {&engine.Plan{Nodes: []engine.NodePlan{{Node: "a"}, {Node: "b"}}}, PlanOptions{}},
		"all-lost":   {&engine.Plan{Nodes: []engine.NodePlan{{Node: "a", Error: "down"}}}, PlanOptions{}},
	} {
		var b bytes.Buffer
		Plan(&b, c.plan, c.options)
		golden.Compare(t, "testdata/plan-"+name+".txt", strings.ReplaceAll(b.String(), "\x1b", "<esc>"))
	}
}

// Nothing may be said by colour alone: without it the same words are there.
func TestColourSaysNothing(t *testing.T) {
	var plain, coloured bytes.Buffer
	Plan(&plain, richPlan(), PlanOptions{})
	Plan(&coloured, richPlan(), PlanOptions{Color: true})
	text := coloured.String()
	for _, code := range []string{"1", "31", "32", "33", "0"} {
		text = strings.ReplaceAll(text, "\x1b["+code+"m", "")
	}
	if text != plain.String() {
		t.Errorf("without its colours a plan is\n%s", text)
	}
}

// What stands in files of a node must not steer the terminal of who reads a plan.
func TestControlCharactersAreNotPassedOn(t *testing.T) {
	evil := "x\x1b[2J\x07\u009b31m"
	p := &engine.Plan{Nodes: []engine.NodePlan{{Node: "a", Notes: []string{evil}, Changes: []engine.Pending{
		pending("file", "/f", &resource.Change{Action: resource.Update, Diff: "+" + evil + "\n", Fields: []resource.Field{{Name: "f", Before: evil, After: evil}}}),
		{Kind: "k", Name: "n", Error: evil},
	}}, {Node: "b", Error: evil}}}
	var b bytes.Buffer
	Plan(&b, p, PlanOptions{})
	if strings.ContainsAny(b.String(), "\x1b\x07\u009b") {
		t.Errorf("%q", b.String())
	}
}
