package resource_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

func TestFile(t *testing.T) {
	h := newNode(t)
	f := &resource.File{Path: "/etc/etcd/etcd.conf", Content: "one\n", Impact: resource.Reload}
	c := converge(t, h, f, resource.Create)
	if !strings.Contains(c.Diff, "+one") || c.Impact != resource.Reload {
		t.Errorf("change %+v", c)
	}
	f.Content = "two\n"
	if c := converge(t, h, f, resource.Update); !strings.Contains(c.Diff, "-one\n+two") {
		t.Errorf("diff %q", c.Diff)
	}
	f.Mode = 0o640
	expectField(t, converge(t, h, f, resource.Update), "mode", "0644", "0640")
	f.Mode = 0o755 | fs.ModeSetuid
	expectField(t, converge(t, h, f, resource.Update), "mode", "0640", "4755")
	f.Absent = true
	converge(t, h, f, resource.Delete)
}

func TestFileReplacesLink(t *testing.T) {
	h := newNode(t)
	put(t, h, "/etc/other", "other\n")
	if err := os.Symlink("other", h.Path("/etc/resolv.conf")); err != nil {
		t.Fatal(err)
	}
	converge(t, h, &resource.File{Path: "/etc/resolv.conf", Content: "ours\n"}, resource.Update)
	if got := get(t, h, "/etc/other"); got != "other\n" {
		t.Errorf("the link was followed: %q", got)
	}
}

func TestFileRefusesDirectory(t *testing.T) {
	h := newNode(t)
	refused(t, h, &resource.File{Path: "/etc", Content: "x"}, "is a directory")
	refused(t, h, &resource.File{Path: "/etc", Absent: true}, "is a directory")
}

func TestSecretFileShowsNothing(t *testing.T) {
	h := newNode(t)
	f := &resource.File{Path: "/root/.pgpass", Content: "hunter2\n", Mode: 0o600, Secret: true}
	first := converge(t, h, f, resource.Create)
	f.Content = "hunter3\n"
	second := converge(t, h, f, resource.Update)
	for _, c := range []*resource.Change{first, second} {
		if c.Diff != "" || len(c.Fields) != 1 || strings.Contains(c.Fields[0].Before+c.Fields[0].After, "hunter") {
			t.Errorf("change %+v", c)
		}
	}
}

func TestOnceFileKeepsContent(t *testing.T) {
	h := newNode(t)
	f := &resource.File{Path: "/etc/once", Content: "ours\n", Once: true}
	converge(t, h, f, resource.Create)
	put(t, h, "/etc/once", "theirs\n")
	quiet(t, h, f)
	f.Mode = 0o600
	converge(t, h, f, resource.Update)
	if got := get(t, h, "/etc/once"); got != "theirs\n" {
		t.Errorf("content %q", got)
	}
}

// A run that is killed while writing leaves the old file and a temporary one; the next run
// leaves the new file alone in its folder.
func TestFileCleansUpAfterKilledRun(t *testing.T) {
	h := newNode(t)
	put(t, h, "/etc/app/conf", "old\n")
	put(t, h, "/etc/app/.conf.pigsty-123", "ne")
	put(t, h, "/etc/app/.confident.pigsty-9", "another file's\n")
	converge(t, h, &resource.File{Path: "/etc/app/conf", Content: "new\n"}, resource.Update)
	left, err := filepath.Glob(h.Path("/etc/app/.*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != ".confident.pigsty-9" {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

func TestFileLeavesNothingBehindWhenItFails(t *testing.T) {
	h := newNode(t)
	put(t, h, "/etc/app/conf/in-the-way", "")
	if err := (&resource.File{Path: "/etc/app/conf", Content: "new\n"}).Apply(context.Background(), h); err == nil {
		t.Fatal("a folder was replaced by a file")
	}
	left, err := filepath.Glob(h.Path("/etc/app/.*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

// A file that its own program refuses never takes the place of one that works, and observing
// asks nobody.
func TestFileIsCheckedBeforeItReplacesAnother(t *testing.T) {
	h := newNode(t)
	e := h.Exec.(*simulate.Executor)
	f := &resource.File{
		Path: "/etc/haproxy/haproxy.cfg", Content: "good\n",
		Check: &resource.FileCheck{Argv: []string{"haproxy", "-c", "-f", resource.Candidate}},
	}
	converge(t, h, f, resource.Create)
	f.Content = "bad\n"
	asked := len(e.Calls())
	diff(t, h, f)
	if n := len(e.Calls()); n != asked {
		t.Errorf("a diff asked %q", e.Calls()[asked:])
	}
	var candidate string
	e.Fail = func(argv []string) error {
		candidate = argv[len(argv)-1]
		text, err := os.ReadFile(candidate)
		if err != nil || string(text) != "bad\n" {
			t.Errorf("the program was shown %q, %v", text, err)
		}
		return &resource.CommandError{Argv: argv, Output: "parsing [" + candidate + ":1]: unknown keyword 'bad'", Err: errors.New("exit status 1")}
	}
	err := f.Apply(t.Context(), h)
	for _, part := range []string{"/etc/haproxy/haproxy.cfg:1]: unknown keyword 'bad'", "nothing is replaced", "refused by haproxy"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v lacks %q", err, part)
		}
	}
	if got := get(t, h, "/etc/haproxy/haproxy.cfg"); got != "good\n" {
		t.Errorf("the file is now %q", got)
	}
	if _, err := os.Stat(candidate); err == nil {
		t.Errorf("%s is left", candidate)
	}
}

func TestCheckOfASecretFileShowsNothing(t *testing.T) {
	h := newNode(t)
	h.Exec.(*simulate.Executor).Fail = func(argv []string) error {
		return &resource.CommandError{Argv: argv, Output: "bad word: hunter2", Err: errors.New("exit status 1")}
	}
	f := &resource.File{
		Path: "/etc/sudoers.d/x", Content: "hunter2\n", Secret: true,
		Check: &resource.FileCheck{Argv: []string{"visudo", "-c", "-f", resource.Candidate}},
	}
	if err := f.Apply(t.Context(), h); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
	if exists(h, "/etc/sudoers.d/x") {
		t.Error("the refused file is there")
	}
}

// A file that means something only among others is checked in a copy of their folder, in its own place.
func TestFileIsCheckedAmongOthers(t *testing.T) {
	h := newNode(t)
	put(t, h, "/etc/nginx/nginx.conf", "include conf.d/*.conf;\n")
	put(t, h, "/etc/nginx/conf.d/own.conf", "somebody's\n")
	put(t, h, "/etc/nginx/conf.d/sites.conf", "good\n")
	f := &resource.File{
		Path: "/etc/nginx/conf.d/sites.conf", Content: "bad\n",
		Check: &resource.FileCheck{Tree: "/etc/nginx", Argv: []string{"nginx", "-t", "-c", resource.Candidate + "/nginx.conf"}},
	}
	var copied string
	h.Exec.(*simulate.Executor).Fail = func(argv []string) error {
		copied = strings.TrimSuffix(argv[len(argv)-1], "/nginx.conf")
		got := map[string]string{}
		err := filepath.WalkDir(copied, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				text, _ := os.ReadFile(path)
				got[strings.TrimPrefix(path, copied)] = string(text)
			}
			return err
		})
		want := map[string]string{"/nginx.conf": "include conf.d/*.conf;\n", "/conf.d/own.conf": "somebody's\n", "/conf.d/sites.conf": "bad\n"}
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("nginx was shown %v, %v", got, err)
		}
		return &resource.CommandError{Argv: argv, Output: "unknown directive in " + copied + "/conf.d/sites.conf:1", Err: errors.New("exit status 1")}
	}
	err := f.Apply(t.Context(), h)
	if err == nil || !strings.Contains(err.Error(), "unknown directive in /etc/nginx/conf.d/sites.conf:1") || !strings.Contains(err.Error(), "nothing is replaced") {
		t.Errorf("error %v", err)
	}
	if got := get(t, h, f.Path); got != "good\n" {
		t.Errorf("the file is now %q", got)
	}
	if _, err := os.Stat(copied); copied == "" || err == nil {
		t.Errorf("the copy %s is left", copied)
	}
}
