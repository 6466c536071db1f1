package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestArguments(t *testing.T) {
	for _, c := range []struct{ argv, want []string }{
		{nil, nil},
		{[]string{"/usr/bin/pigsty", "plan", "-i", "x"}, []string{"plan", "-i", "x"}},
		{[]string{"/usr/bin/pg_exporter"}, []string{"pg_exporter"}},
		{[]string{"pg_exporter", "-i", "a,b", "--no-auto-discovery", "--url=x"}, []string{"pg_exporter", "--include-database", "a,b", "--auto-discovery=false", "--url=x"}},
		{[]string{"pg_exporter", "-i=a"}, []string{"pg_exporter", "--include-database=a"}},
	} {
		if diff := cmp.Diff(c.want, Arguments(c.argv)); diff != "" && len(c.want)+len(Arguments(c.argv)) > 0 {
			t.Errorf("%v: %s", c.argv, diff)
		}
	}
}

// exporterFor takes a command line as far as the options.
func exporterFor(t *testing.T, args ...string) (*exporterFlags, error) {
	t.Helper()
	f := &exporterFlags{}
	cmd := newExporterCommand(&app{})
	cmd.ResetFlags()
	f.register(cmd.Flags())
	if err := cmd.ParseFlags(args); err != nil {
		return nil, err
	}
	return f, f.complete(cmd.Flags())
}

func TestEnvironmentOfTheExporter(t *testing.T) {
	t.Setenv("PG_EXPORTER_URL", "postgres://u:p@h/d")
	t.Setenv("PG_EXPORTER_CONNECT_TIMEOUT", "100")
	t.Setenv("PG_EXPORTER_AUTO_DISCOVERY", "false")
	t.Setenv("PG_EXPORTER_LABEL", "a=b")
	t.Setenv("PG_EXPORTER_CONFIG", "builtin,/etc/x")
	f, err := exporterFor(t, "--label", "c=d", "--tag=x")
	if err != nil {
		t.Fatal(err)
	}
	if f.URL != "postgres://u:p@h/d" || f.ConnectTimeout != 100*time.Millisecond || f.Discover || f.Label != "c=d" || f.Tag != "x" || len(f.Config) != 2 {
		t.Errorf("%+v", f)
	}
	t.Setenv("PG_EXPORTER_MAX_SERIES", "many")
	if _, err := exporterFor(t); err == nil || !strings.Contains(err.Error(), "PG_EXPORTER_MAX_SERIES") {
		t.Errorf("a variable that is wrong: %v", err)
	}
}

func TestExporterRefuses(t *testing.T) {
	dir := t.TempDir()
	open := filepath.Join(dir, "url")
	if err := os.WriteFile(open, []byte("postgres://u:hunter2@h/d"), 0o644); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.yml")
	if err := os.WriteFile(bad, []byte("a: {}\nb: { query: SELECT 1, ttl: soon }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--url", "postgres://u:hunter2@h/d"}, []string{"a password on the command line", "PG_EXPORTER_URL"}},
		{[]string{"--pgbouncer.url", "host=h password=hunter2"}, []string{"a password on the command line"}},
		{[]string{"--url-file", open}, []string{"chmod 600"}},
		{[]string{"--url", "postgres://u@h:port/d"}, []string{"the URL cannot be read"}},
		{[]string{"--config", bad}, []string{bad + ":1:1: error: collector \"a\" has no query", bad + ":2:28: error: this is a number"}},
		{[]string{"--config", filepath.Join(dir, "none")}, []string{"no such file"}},
		{[]string{"--label", "no"}, []string{`label "no" is not of the form name=value`}},
		{[]string{"--label", "datname=x"}, []string{"datname", "--label"}},
		{[]string{"--url", "none"}, []string{"there is no server to watch"}},
		{[]string{"--log.level", "loud"}, []string{"--log.level"}},
	} {
		var out, errs bytes.Buffer
		code := (&app{in: strings.NewReader(""), out: &out, err: &errs}).run(t.Context(), append([]string{"pg_exporter"}, c.args...))
		for _, want := range c.want {
			if code == 0 || !strings.Contains(errs.String(), want) {
				t.Errorf("%v ends with %d and %q, want %q", c.args, code, errs.String(), want)
			}
		}
		if strings.Contains(errs.String(), "hunter2") {
			t.Errorf("%v: a password shows: %s", c.args, errs.String())
		}
	}
}
