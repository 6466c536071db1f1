package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// onNodes puts programs into PATH that stand for those of all nodes; ssh runs its last argument
// here, and tells of the others.
func onNodes(s *site, programs map[string]string) (sshLog func() string) {
	s.t.Helper()
	dir := s.t.TempDir()
	programs["ssh"] = `for last; do :; done; echo "$@" >>` + dir + `/ssh.log; exec sh -c "$last"`
	programs["id"] = `echo 0`
	programs["setpriv"] = `while [ "$1" != -- ]; do shift; done; shift; exec "$@"`
	for name, script := range programs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	s.t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return func() string {
		text, err := os.ReadFile(filepath.Join(dir, "ssh.log"))
		if err != nil {
			s.t.Fatal(err)
		}
		return string(text)
	}
}

func TestPgPsql(t *testing.T) {
	s := sandboxSite(t)
	bin := t.TempDir()
	s.edit("pg_cluster: pg-test", "pg_bin_dir: "+bin+"\n        pg_cluster: pg-test")
	if err := os.WriteFile(filepath.Join(bin, "psql"), []byte("#!/bin/sh\nprintf '<%s>' \"$@\"; cat; exit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.run("pg", "list") // makes the secrets, and says so
	sshLog := onNodes(s, map[string]string{})
	got := s.must(3, "pg", "psql", "pg-test-2", "-d", "test", "-c", `SELECT 'a "b"'`, "--", "-At")
	if want := `<-h></var/run/postgresql><-p><5432><-d><test><-At><-c><SELECT 'a "b"'>`; got.out != want || got.err != "" {
		t.Errorf("%s, want %s; %s", got.out, want, got.err)
	}
	if used := sshLog(); !strings.Contains(used, "10.10.10.12 ") || !strings.Contains(used, " -T ") {
		t.Errorf("%s", used)
	}
	if got := s.must(exitFailed, "pg", "psql", "pg-test"); !strings.Contains(got.err, "nobody is known to lead cluster pg-test") {
		t.Errorf("%s", got.err)
	}
	if got := s.must(exitFailed, "pg", "psql", "pg-tset"); !strings.Contains(got.err, "its clusters are pg-meta, pg-test") {
		t.Errorf("%s", got.err)
	}
}
