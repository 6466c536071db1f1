package resource_test

import (
	"os"
	"strings"
	"testing"

	"pigsty/internal/resource"
)

const dhcp = "search lan\nnameserver 192.0.2.1\n"

// Our servers are asked first, the others stay behind them, and our search domain is the one
// that counts, which is the last.
func TestResolverAddsInFront(t *testing.T) {
	h := newNode(t)
	put(t, h, "/etc/resolv.conf", dhcp)
	r := &resource.Resolver{Servers: []string{"10.10.10.10"}, Options: []string{"options timeout:1", "domain service.consul"}}
	converge(t, h, r, resource.Update)
	want := "# BEGIN pigsty dns\noptions timeout:1\nnameserver 10.10.10.10\n# END pigsty dns\n" + dhcp +
		"# BEGIN pigsty domain\ndomain service.consul\n# END pigsty domain\n"
	if got := get(t, h, "/etc/resolv.conf"); got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
	r.Servers = []string{"10.10.10.11"}
	converge(t, h, r, resource.Update)
	if got := get(t, h, "/etc/resolv.conf"); got != strings.Replace(want, "10.10.10.10", "10.10.10.11", 1) {
		t.Errorf("after a change of servers: %q", got)
	}
	converge(t, h, &resource.Resolver{Absent: true}, resource.Update)
	if got := get(t, h, "/etc/resolv.conf"); got != dhcp {
		t.Errorf("taken back: %q", got)
	}
}

// A block that an earlier version put at the end comes to the front.
func TestResolverMovesItsBlock(t *testing.T) {
	h := newNode(t)
	ours := "# BEGIN pigsty dns\nnameserver 10.10.10.10\n# END pigsty dns\n"
	put(t, h, "/etc/resolv.conf", dhcp+ours)
	converge(t, h, &resource.Resolver{Servers: []string{"10.10.10.10"}}, resource.Update)
	if got := get(t, h, "/etc/resolv.conf"); got != ours+dhcp {
		t.Errorf("%q", got)
	}
	if exists(h, "/etc/resolv.conf.backup") {
		t.Error("a file with our lines in it was kept as the original")
	}
}

// The original is kept once, and says what it is; going from overwrite to add brings its
// servers back.
func TestResolverKeepsTheOriginal(t *testing.T) {
	h := newNode(t)
	put(t, h, "/etc/resolv.conf", dhcp)
	only := &resource.Resolver{Servers: []string{"10.10.10.10"}, Only: true}
	converge(t, h, only, resource.Update)
	if got := get(t, h, "/etc/resolv.conf"); got != "# Managed by pigsty.\nnameserver 10.10.10.10\n" {
		t.Errorf("%q", got)
	}
	backup := get(t, h, "/etc/resolv.conf.backup")
	note, original, _ := strings.Cut(backup, "\n")
	if original != dhcp || !strings.HasPrefix(note, "# pigsty: /etc/resolv.conf as it was before the first change, on ") {
		t.Errorf("backup %q", backup)
	}
	only.Servers = []string{"10.10.10.11"}
	converge(t, h, only, resource.Update)
	if got := get(t, h, "/etc/resolv.conf.backup"); got != backup {
		t.Errorf("the backup became %q", got)
	}
	converge(t, h, &resource.Resolver{Servers: []string{"10.10.10.11"}}, resource.Update)
	if got := get(t, h, "/etc/resolv.conf"); got != "# BEGIN pigsty dns\nnameserver 10.10.10.11\n# END pigsty dns\n"+dhcp {
		t.Errorf("from overwrite to add: %q", got)
	}
}

// systemd-resolved's link gives way to a file, which has resolved's own address after ours;
// what the link points to is resolved's and stays.
func TestResolverReplacesLink(t *testing.T) {
	h := newNode(t)
	stub := "nameserver 127.0.0.53\n"
	put(t, h, "/run/systemd/resolve/stub-resolv.conf", stub)
	if err := os.Symlink("../run/systemd/resolve/stub-resolv.conf", h.Path("/etc/resolv.conf")); err != nil {
		t.Fatal(err)
	}
	quiet(t, h, &resource.Resolver{Absent: true})
	c := converge(t, h, &resource.Resolver{Servers: []string{"10.10.10.10"}}, resource.Update)
	expectField(t, c, "type", "link to ../run/systemd/resolve/stub-resolv.conf", "file")
	if got := get(t, h, "/etc/resolv.conf"); !strings.HasSuffix(got, "nameserver 10.10.10.10\n# END pigsty dns\n"+stub) {
		t.Errorf("%q", got)
	}
	if got := get(t, h, "/run/systemd/resolve/stub-resolv.conf"); got != stub {
		t.Errorf("resolved's file became %q", got)
	}
	if got := get(t, h, "/etc/resolv.conf.backup"); !strings.Contains(got, "ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf") {
		t.Errorf("backup %q", got)
	}
}

func TestResolverWithoutAFile(t *testing.T) {
	h := newNode(t)
	quiet(t, h, &resource.Resolver{Absent: true})
	converge(t, h, &resource.Resolver{Servers: []string{"10.10.10.10"}}, resource.Create)
	if exists(h, "/etc/resolv.conf.backup") {
		t.Error("a file that was not there was kept")
	}
}
