package controller

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pigsty/internal/inventory"
)

const withBaselines = `all:
  children:
    pg-test:
      hosts: { 10.10.10.11: { pg_seq: 1, pg_role: primary } }
      vars:
        pg_cluster: pg-test
        pg_databases:
          - { name: beside, baseline: sql/beside.sql }
          - { name: again, baseline: sql/beside.sql }
          - { name: meta, baseline: cmdb.sql }
          - { name: gone, state: absent, baseline: nowhere.sql }
          - { name: in_files, baseline: old.sql }
WRONG
  vars: { dcs_servers: { etcd-1: 10.10.10.11 } }
`

func TestBaselinesAreRead(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"pigsty.yml":     strings.Replace(withBaselines, "WRONG\n", "", 1),
		"sql/beside.sql": "SELECT 1;", "files/old.sql": "SELECT 2;", "psql.sql": "SELECT 3;\n\\i other.sql\n", "latin.sql": "-- f\xfcr",
		"wrong.yml": strings.Replace(withBaselines, "WRONG\n", `          - { name: a, baseline: nowhere.sql }
          - name: b
            baseline: psql.sql
          - { name: c, baseline: latin.sql }
          - { name: d, baseline: sql }
`, 1),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, d, problems := Read(filepath.Join(dir, "pigsty.yml"), inventory.Options{})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	if len(problems) != 1 || problems[0].Pos.Line != 10 || !strings.Contains(problems[0].Summary, "cmdb.sql is left out") {
		t.Errorf("problems %v", problems)
	}
	if len(d.Files) != 2 || d.Files["sql/beside.sql"] != "SELECT 1;" || d.Files["old.sql"] != "SELECT 2;" {
		t.Errorf("read %q", d.Files)
	}
	_, _, problems = Read(filepath.Join(dir, "wrong.yml"), inventory.Options{})
	var got []string
	for _, p := range problems.Errors() {
		if p.Source == "" {
			t.Errorf("%s shows no line", p)
		}
		got = append(got, strings.ReplaceAll(p.String(), dir+"/", ""))
	}
	want := []string{
		"wrong.yml:13:34: error: baseline nowhere.sql is not there; it is looked for as nowhere.sql",
		"wrong.yml:15:23: error: baseline psql.sql:2: \\i is for psql only; write it in plain SQL, or load the file by hand",
		"wrong.yml:16:34: error: baseline latin.sql is not UTF-8; convert it with iconv",
		"wrong.yml:17:34: error: baseline: read sql: is a directory",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
