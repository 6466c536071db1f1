package controller

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/inventory"
	"pigsty/internal/model"
	"pigsty/internal/remote"
)

// node gives one node of an inventory whose only host has the given variables.
func node(t *testing.T, host, vars string) *model.Node {
	t.Helper()
	path := filepath.Join(t.TempDir(), "site.yml")
	if err := os.WriteFile(path, []byte("all: {hosts: {"+host+": {"+vars+"}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, d, problems := Read(path, inventory.Options{})
	if problems.HasErrors() {
		t.Fatal(problems.Err())
	}
	return d.Nodes[0]
}

func TestTarget(t *testing.T) {
	own := []string{"localhost", "10.0.0.1"}
	for _, c := range []struct {
		host, vars string
		want       remote.Target
	}{
		{"10.0.0.2", "", remote.Target{Host: "10.0.0.2"}},
		{"10.0.0.1", "", remote.Target{Host: "10.0.0.1", Local: true}},
		{"10.0.0.1", "ansible_group_priority: 99", remote.Target{Host: "10.0.0.1", Local: true}},
		// Who says how to reach it wants it reached that way.
		{"10.0.0.1", "ansible_user: admin", remote.Target{Host: "10.0.0.1", User: "admin"}},
		{"10.0.0.2", "ansible_host: jump.example", remote.Target{Host: "jump.example"}},
		// A port that nobody gives is for ~/.ssh/config to say.
		{"10.0.0.2", "ansible_port: 22", remote.Target{Host: "10.0.0.2", Port: 22}},
		{
			"10.0.0.2", "ansible_user: u, ansible_ssh_private_key_file: /k, ansible_ssh_common_args: -J j",
			remote.Target{Host: "10.0.0.2", User: "u", KeyFile: "/k", CommonArgs: "-J j"},
		},
		{
			"10.0.0.2", "ansible_ssh_common_args: -J j, ansible_ssh_extra_args: -4",
			remote.Target{Host: "10.0.0.2", CommonArgs: "-J j -4"},
		},
		// How to become root says nothing of how to get there.
		{"10.0.0.1", "ansible_become: false", remote.Target{Host: "10.0.0.1", Local: true, NoSudo: true}},
		{"10.0.0.1", "ansible_become_password: p", remote.Target{Host: "10.0.0.1", Local: true, SudoPassword: "p"}},
		{"10.0.0.2", "ansible_sudo_pass: p", remote.Target{Host: "10.0.0.2", SudoPassword: "p"}},
		{"10.0.0.2", "ansible_connection: local", remote.Target{Host: "10.0.0.2", Local: true}},
		{"10.0.0.1", "ansible_connection: smart", remote.Target{Host: "10.0.0.1"}},
		{"10.0.0.2", "ansible_ssh_host: h, ansible_ssh_port: 2, ansible_ssh_user: u", remote.Target{Host: "h", Port: 2, User: "u"}},
	} {
		if diff := cmp.Diff(c.want, target(node(t, c.host, c.vars), own)); diff != "" {
			t.Errorf("%s {%s} (-want +got):\n%s", c.host, c.vars, diff)
		}
	}
}

// Whoever else can get at the sockets of shared connections is on the nodes.
func TestControlFolderIsOursAlone(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir, err := controlDir()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := controlDir(); err != nil || again != dir {
		t.Errorf("second call: %s, %v", again, err)
	}
	for name, spoil := range map[string]func() error{
		"readable by others": func() error { return os.Chmod(dir, 0o755) },
		"a link": func() error {
			elsewhere := filepath.Join(t.TempDir(), "x")
			return errors.Join(os.Remove(dir), os.Mkdir(elsewhere, 0o700), os.Symlink(elsewhere, dir))
		},
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if _, err := controlDir(); err == nil || !strings.Contains(err.Error(), "not a folder of yours alone") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFactsAskedOfANode(t *testing.T) {
	plain := query(node(t, "10.0.0.2", "node_data_dir: /srv"))
	if plain.DataDir != "/srv" || plain.PgData != "" || plain.EtcdDataDir != "/data/etcd" {
		t.Errorf("%+v", plain)
	}
	pg := query(node(t, "10.0.0.2", "pg_cluster: a, pg_seq: 1, pg_role: primary, dcs_servers: {e: 10.0.0.2}"))
	if pg.PgData == "" || pg.PatroniPort == 0 || pg.EtcdDataDir == "" {
		t.Errorf("%+v", pg)
	}
}

// ssh is never given a password: whoever has one in the inventory is told where it stands.
func TestSSHPasswordIsWarnedOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site.yml")
	if err := os.WriteFile(path, []byte("all:\n  hosts: {10.0.0.1: {ansible_ssh_pass: hunter2}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, problems := Read(path, inventory.Options{})
	if len(problems) != 1 || problems[0].Pos.Line != 2 || problems[0].Pos.Column != 22 ||
		!strings.Contains(problems[0].String(), "ansible_ssh_pass is not used") || strings.Contains(problems[0].String(), "hunter2") {
		t.Errorf("%s", problems)
	}
}
