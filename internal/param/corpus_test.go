package param

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/diag"
	"pigsty/internal/inventory"
)

var update = flag.Bool("update", false, "rewrite golden files and generated documents")

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is out of date; run go test ./internal/param -update\n%s", path, diff)
	}
}

// load reads and checks an inventory file under its base name.
func load(t *testing.T, path string) (*inventory.Inventory, diag.List) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	inv, problems := inventory.Parse(filepath.Base(path), data, inventory.Options{})
	problems.Add(Check(inv)...)
	problems.Sort()
	return inv, problems
}

func TestBadInventories(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yml"), func(t *testing.T) {
			_, problems := load(t, file)
			if len(problems) == 0 {
				t.Fatal("no problem found")
			}
			var b bytes.Buffer
			if err := problems.Write(&b); err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".yml")+".want", b.Bytes())
			if strings.Contains(b.String(), "hunter") {
				t.Errorf("a secret shows:\n%s", b.String())
			}
		})
	}
}

func TestGoodInventories(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			inv, problems := load(t, file)
			for _, d := range problems.Errors() {
				t.Error(d)
			}
			if len(problems) > 0 && filepath.Base(file) != "old.yml" {
				t.Errorf("warnings: %v", problems)
			}
			for _, h := range inv.Hosts() {
				for _, l := range decodeAll(inv.Vars(h)) {
					t.Errorf("%s: %v", h, l)
				}
			}
		})
	}
}

// decodeAll decodes every typed section and gives the problems.
func decodeAll(vars inventory.Vars) diag.List {
	var all diag.List
	_, l := Decode[Node](vars)
	all.Add(l...)
	_, l = Decode[Pgsql](vars)
	all.Add(l...)
	_, l = Decode[Infra](vars)
	all.Add(l...)
	_, l = Decode[Dcs](vars)
	all.Add(l...)
	_, l = Decode[Connect](vars)
	all.Add(l...)
	_, l = Decode[Infra](vars)
	all.Add(l...)
	_, l = Decode[Ca](vars)
	all.Add(l...)
	return all
}

func TestOldFileIsUnderstood(t *testing.T) {
	inv, problems := load(t, "testdata/good/old.yml")
	if n := len(problems.Warnings()); n != 10 {
		t.Errorf("%d warnings, want one for each of the 10 old names: %v", n, problems)
	}
	vars := inv.Vars("10.0.0.1")
	pg, _ := Decode[Pgsql](vars)
	node, _ := Decode[Node](vars)
	dcs, _ := Decode[Dcs](vars)
	got := []any{
		pg.PgClean, pg.PgDcsType, pg.PgLibs, dcs.DcsClean, dcs.DcsSafeguard, dcs.DcsRegistry,
		node.NodePackagesDefault, node.NodePackages, node.NodeRepoLocalUrls,
	}
	want := []any{
		false, "consul", "pg_stat_statements", true, false, "consul",
		[]string{"chrony"},
		[]string{"htop"},
		[]string{"http://yum.pigsty/pigsty.repo"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if pos := vars["pg_clean"].Pos; pos.Line != 5 {
		t.Errorf("pg_clean is at %v, want the line of pg_exists_action", pos)
	}
	if again := Modernise(inv); len(again) > 0 {
		t.Errorf("a second time finds %v", again)
	}
}

func TestGoodValues(t *testing.T) {
	inv, _ := load(t, "testdata/good/minimal.yml")
	pg, _ := Decode[Pgsql](inv.Vars("10.10.10.10"))
	got := []any{
		pg.PatroniWatchdogMode, pg.PgPort, pg.PgOfflineQuery, pg.PgUsers[0].ExpireAt, pg.PgUsers[0].Pgbouncer,
		pg.PgUsers[0].Login, pg.PgUsers[1].State, pg.PgDatabases[0].Extensions[0].Name, pg.PgDatabases[0].Parameters["jit"],
	}
	want := []any{"off", 5433, true, "2030-12-31", true, true, "absent", "postgis", "off"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	inv, _ = load(t, "testdata/good/fragment.yml")
	pg, _ = Decode[Pgsql](inv.Vars("10.10.10.12"))
	if got := pg.PgServicesExtra[0].SelectorBackup; got != "[? pg_role == 'primary']" {
		t.Errorf("selector %s", got)
	}
	inv, _ = load(t, "testdata/good/anchors.yml")
	pg, _ = Decode[Pgsql](inv.Vars("10.0.0.1"))
	node, _ := Decode[Node](inv.Vars("10.0.0.1"))
	if pg.PgSeq != 0 || pg.PgConf != "crit.yml" || node.NodeTune != "oltp" {
		t.Errorf("anchors: %d %s %s", pg.PgSeq, pg.PgConf, node.NodeTune)
	}
}

func TestFalseMeansOffForAWord(t *testing.T) {
	inv, _ := inventory.Parse("x.yml", []byte("all: {vars: {patroni_watchdog_mode: false}}"), inventory.Options{})
	pg, problems := Decode[Pgsql](inv.Global())
	if len(problems) > 0 || pg.PatroniWatchdogMode != "off" {
		t.Errorf("%v %q", problems, pg.PatroniWatchdogMode)
	}
}

func TestExtraIsChecked(t *testing.T) {
	inv, _ := inventory.Parse("x.yml", []byte("all: {}"), inventory.Options{Extra: []string{"pg_port=abc", "pg_prot=1", "pg_admin_password=[hunter2]"}})
	problems := Check(inv)
	var b bytes.Buffer
	if err := problems.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := `-e pg_admin_password: error: pg_admin_password: want a single value
-e pg_port: error: pg_port: want a port number, 1 to 65535, not "abc"
-e pg_prot: error: unknown parameter "pg_prot"; did you mean pg_port?
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}
