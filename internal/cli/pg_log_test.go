package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPgLog(t *testing.T) {
	s := sandboxSite(t)
	data := t.TempDir()
	s.edit("pg_cluster: pg-test", "pg_data: "+data+"\n        pg_cluster: pg-test")
	onNodes(s, map[string]string{})
	if got := s.must(exitFailed, "pg", "log", "pg-test-1"); !strings.Contains(got.err, "told of no log since it was started") {
		t.Errorf("%s", got.err)
	}
	text, err := os.ReadFile("../view/testdata/postgres.csv")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"current_logfiles": "stderr log/a.log\ncsvlog log/a b.csv\n", "log/a.log": "not this\n", "log/a b.csv": string(text),
	} {
		path := filepath.Join(data, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.must(exitOK, "pg", "log", "pg-test-1", "-n", "7"); !strings.Contains(got.out, "UTC  ERROR    test@app  duplicate key") {
		t.Errorf("%s", got.out)
	}
	if got := s.must(exitOK, "pg", "log", "pg-test-1", "-n", "7", "--raw"); !strings.HasSuffix(string(text), got.out) || got.out == "" {
		t.Errorf("%s", got.out)
	}
	if got := s.must(exitFailed, "pg", "log", "pg-test"); !strings.Contains(got.err, "has no instance pg-test") {
		t.Errorf("%s", got.err)
	}
}
