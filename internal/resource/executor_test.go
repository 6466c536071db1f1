package resource

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func run(t *testing.T, h *Host, c Command) ([]byte, error) {
	t.Helper()
	return (&osExecutor{host: h}).Run(context.Background(), c)
}

func TestExecutor(t *testing.T) {
	h := &Host{}
	out, err := run(t, h, Command{Argv: []string{"tr", "a-z", "A-Z"}, Stdin: []byte("hello")})
	if err != nil || string(out) != "HELLO" {
		t.Errorf("%q, %v", out, err)
	}
	out, err = run(t, h, Command{Argv: []string{"env"}, Env: []string{"PIGSTY_TEST=1"}})
	if err != nil || !strings.Contains(string(out), "PIGSTY_TEST=1\n") {
		t.Errorf("%q, %v", out, err)
	}
	out, err = run(t, h, Command{Argv: []string{"pwd"}})
	if err != nil || string(out) != "/\n" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestExecutorFailure(t *testing.T) {
	h := &Host{}
	_, err := run(t, h, Command{Argv: []string{"ls", "/nowhere"}})
	failure, ok := errors.AsType[*CommandError](err)
	if !ok || !strings.Contains(failure.Output, "No such file") || !strings.HasPrefix(err.Error(), "ls: exit status 2: ") {
		t.Errorf("error %v", err)
	}
	_, err = run(t, h, Command{Argv: []string{"no-such-program"}})
	if err == nil || !strings.Contains(err.Error(), "its package is missing") {
		t.Errorf("error %v", err)
	}
	_, err = run(t, h, Command{Argv: []string{"true"}, User: "no-such-user"})
	if !errors.Is(err, ErrAbsent) {
		t.Errorf("error %v", err)
	}
}

func TestExecutorEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := (&osExecutor{host: &Host{}}).Run(ctx, Command{Argv: []string{"sleep", "30"}})
	if err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}

func TestCredential(t *testing.T) {
	h := &Host{Root: t.TempDir()}
	for path, text := range map[string]string{
		"etc/passwd": "postgres:x:26:27:PG:/var/lib/pgsql:/bin/bash\nshort:x:5\n",
		"etc/group":  "postgres:x:27:\netcd:x:30:redis,postgres\nredis:x:31:redis\nssl:x:32:postgres\n",
	} {
		if err := os.MkdirAll(filepath.Dir(h.Path(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(h.Path(path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c, variables, err := (&osExecutor{host: h}).credential("postgres")
	if err != nil {
		t.Fatal(err)
	}
	if c.Uid != 26 || c.Gid != 27 || len(c.Groups) != 2 || c.Groups[0] != 30 || c.Groups[1] != 32 {
		t.Errorf("credential %+v", c)
	}
	if strings.Join(variables, " ") != "USER=postgres LOGNAME=postgres HOME=/var/lib/pgsql" {
		t.Errorf("environment %q", variables)
	}
	if _, _, err := (&osExecutor{host: h}).credential("short"); err == nil {
		t.Error("a broken account was accepted")
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var kept tail
	for range 3 {
		if _, err := kept.Write([]byte(strings.Repeat("x", outputKept) + "\nend\n")); err != nil {
			t.Fatal(err)
		}
	}
	if got := kept.String(); len(got) > outputKept || !strings.HasSuffix(got, "x\nend") {
		t.Errorf("%d bytes, ends %q", len(got), got[len(got)-5:])
	}
}
