package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

const sampleInventory = `all:
  children:
    meta:
      hosts: {10.10.10.10: {}}
      vars: {meta_node: yes, ansible_group_priority: 99}
    pg-meta:
      hosts:
        10.10.10.10: {pg_seq: 1, pg_role: primary}
      vars:
        pg_cluster: pg-meta
        pg_users: [{name: app, password: hunter2}]
    pg-test:
      hosts:
        10.10.10.11: {pg_seq: 1, pg_role: primary}
        10.10.10.12: {pg_seq: 2, pg_role: replica}
      vars: {pg_cluster: pg-test}
  vars:
    dcs_servers: {meta-1: 10.10.10.10}
    pg_admin_password: hunter3
    grafana_pgurl: postgres://u:hunter4@h/d
`

// runCommand runs one command of a test app on an inventory's text and gives its streams.
func runCommand(t *testing.T, build func(*app) *cobra.Command, text string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("pigsty.yml", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errw bytes.Buffer
	cmd := build(&app{in: strings.NewReader(""), out: &out, err: &errw, inventory: "pigsty.yml"})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(append([]string{}, args...)) // of nil, cobra takes those of the test itself
	err = cmd.Execute()
	return out.String(), errw.String(), err
}

// squeeze makes every run of blanks one.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestInventoryList(t *testing.T) {
	out, _, err := runCommand(t, newInventoryCommand, sampleInventory, "list", "-l", "pg-*:!10.10.10.12")
	if err != nil {
		t.Fatal(err)
	}
	want := `HOST         GROUPS        VARIABLES
10.10.10.10  pg-meta meta  9
10.10.10.11  pg-test       6
`
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
}

func TestInventoryGraph(t *testing.T) {
	out, _, err := runCommand(t, newInventoryCommand, sampleInventory+"  hosts: {10.10.10.19: {}}\n", "graph")
	if err != nil {
		t.Fatal(err)
	}
	want := `all:
  meta:
    10.10.10.10
  pg-meta:
    10.10.10.10
  pg-test:
    10.10.10.11
    10.10.10.12
  10.10.10.19
`
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
}

func TestInventoryHost(t *testing.T) {
	out, _, err := runCommand(t, newInventoryCommand, sampleInventory, "host", "10.10.10.10")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"pg_cluster pg-meta group pg-meta pigsty.yml:10",
		"pg_seq 1 host 10.10.10.10 pigsty.yml:8",
		"dcs_servers {\"meta-1\":\"10.10.10.10\"}",
		"pg_admin_password ******",
	} {
		if !strings.Contains(squeeze(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "hunter") {
		t.Errorf("a secret shows:\n%s", out)
	}
	_, _, err = runCommand(t, newInventoryCommand, sampleInventory, "host", "10.10.10.21")
	if err == nil || !strings.Contains(err.Error(), `no host "10.10.10.21" in pigsty.yml; did you mean`) {
		t.Errorf("%v", err)
	}
}

func TestInventoryJSONIsAnsibles(t *testing.T) {
	out, _, err := runCommand(t, newInventoryCommand, sampleInventory, "list", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out, "hunter") {
		t.Errorf("a secret shows:\n%s", out)
	}
	var got struct {
		Meta struct {
			Hostvars map[string]map[string]any `json:"hostvars"`
		} `json:"_meta"`
		All struct {
			Children []string       `json:"children"`
			Vars     map[string]any `json:"vars"`
		} `json:"all"`
		PgTest struct {
			Hosts []string       `json:"hosts"`
			Vars  map[string]any `json:"vars"`
		} `json:"pg-test"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"meta", "pg-meta", "pg-test"}, got.All.Children); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"10.10.10.11", "10.10.10.12"}, got.PgTest.Hosts); diff != "" {
		t.Error(diff)
	}
	host := got.Meta.Hostvars["10.10.10.10"]
	if host["meta_node"] != true || host["pg_seq"] != 1.0 || host["pg_cluster"] != "pg-meta" || got.PgTest.Vars["pg_cluster"] != "pg-test" {
		t.Errorf("%v", got)
	}
	out, _, err = runCommand(t, newInventoryCommand, sampleInventory, "host", "10.10.10.10", "-o", "json", "--show-secrets")
	if err != nil || !strings.Contains(out, `"hunter3"`) || !strings.Contains(out, "hunter2") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestLoadShowsEveryError(t *testing.T) {
	_, stderr, err := runCommand(t, newInventoryCommand, "all: {vars: {pg_prot: 1, pg_port: x, dcs_type: etcd}}", "list")
	if err == nil {
		t.Fatal("no error")
	}
	want := `pigsty.yml has 2 errors
pigsty.yml:1:14: error: unknown parameter "pg_prot"; did you mean pg_port?
    all: {vars: {pg_prot: 1, pg_port: x, dcs_type: etcd}}
                 ^
pigsty.yml:1:35: error: pg_port: want a port number, 1 to 65535, not "x" (set for all)
    all: {vars: {pg_prot: 1, pg_port: x, dcs_type: etcd}}
                                      ^`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(stderr, "warning: dcs_type is now called pg_dcs_type") {
		t.Errorf("stderr: %s", stderr)
	}
}

func TestValidate(t *testing.T) {
	out, _, err := runCommand(t, newValidateCommand, sampleInventory)
	if err != nil || !strings.Contains(out, "pigsty.yml: 3 hosts in 3 groups, no errors") {
		t.Errorf("%v %s", err, out)
	}
	out, _, err = runCommand(t, newValidateCommand, "all: {vars: {pg_port: x}}", "-o", "json")
	if err == nil {
		t.Error("no error")
	}
	var problems []struct {
		Severity string
		Pos      struct{ Line, Column int }
	}
	if e := json.Unmarshal([]byte(out), &problems); e != nil || len(problems) != 1 || problems[0].Severity != "error" || problems[0].Pos.Column != 23 {
		t.Errorf("%v %s", e, out)
	}
}
