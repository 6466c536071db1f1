package resource_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pigsty/internal/resource"
)

func TestBlock(t *testing.T) {
	h := newNode(t)
	put(t, h, "/etc/hosts", "127.0.0.1 localhost\n")
	b := &resource.Block{Path: "/etc/hosts", Marker: "hosts", Lines: []string{"10.10.10.10 meta"}}
	converge(t, h, b, resource.Update)
	put(t, h, "/etc/hosts", get(t, h, "/etc/hosts")+"10.0.0.1 mine\n")
	b.Lines = []string{"10.10.10.11 node-1", "10.10.10.12 node-2"}
	if c := converge(t, h, b, resource.Update); !strings.Contains(c.Diff, "-10.10.10.10 meta\n+10.10.10.11 node-1") {
		t.Errorf("diff %s", c.Diff)
	}
	want := "127.0.0.1 localhost\n# BEGIN pigsty hosts\n10.10.10.11 node-1\n10.10.10.12 node-2\n# END pigsty hosts\n10.0.0.1 mine\n"
	if got := get(t, h, "/etc/hosts"); got != want {
		t.Errorf("file\n%s\nwant\n%s", got, want)
	}
	b.Absent = true
	converge(t, h, b, resource.Update)
	if got := get(t, h, "/etc/hosts"); got != "127.0.0.1 localhost\n10.0.0.1 mine\n" {
		t.Errorf("file without the block: %q", got)
	}
}

func TestBlockMakesFile(t *testing.T) {
	h := newNode(t)
	b := &resource.Block{Path: "/home/dba/.ssh/authorized_keys", Marker: "admins", Lines: []string{"ssh-ed25519 AAAA dba"}, Mode: 0o600}
	converge(t, h, b, resource.Create)
	info, err := os.Stat(h.Path(b.Path))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(h.Path(b.Path), 0o640); err != nil {
		t.Fatal(err)
	}
	b.Lines = append(b.Lines, "ssh-ed25519 BBBB other")
	converge(t, h, b, resource.Update)
	if info, err = os.Stat(h.Path(b.Path)); err != nil || info.Mode() != 0o640 {
		t.Errorf("the file's own mode was not kept: %v, %v", info.Mode(), err)
	}
	gone := &resource.Block{Path: "/etc/nowhere", Marker: "x", Absent: true}
	quiet(t, h, gone)
}

func TestBlockWithoutEndIsLeft(t *testing.T) {
	h := newNode(t)
	put(t, h, "/etc/hosts", "# BEGIN pigsty hosts\n10.0.0.1 a\n10.0.0.2 precious\n")
	refused(t, h, &resource.Block{Path: "/etc/hosts", Marker: "hosts"}, "# END pigsty hosts")
}

func TestBlockFollowsLink(t *testing.T) {
	h := newNode(t)
	put(t, h, "/data/hosts", "127.0.0.1 localhost\n")
	if err := os.Symlink("../data/hosts", h.Path("/etc/hosts.link")); err != nil {
		t.Fatal(err)
	}
	converge(t, h, &resource.Block{Path: "/etc/hosts.link", Marker: "m", Lines: []string{"x"}}, resource.Update)
	if !strings.Contains(get(t, h, "/data/hosts"), "# BEGIN pigsty m\nx\n") {
		t.Error("the file behind the link was not written")
	}
}

func TestSecretBlockShowsNothing(t *testing.T) {
	h := newNode(t)
	b := &resource.Block{Path: "/etc/crontab", Marker: "m", Lines: []string{"hunter2"}, Secret: true}
	if c := converge(t, h, b, resource.Update); c.Diff != "" {
		t.Errorf("diff %q", c.Diff)
	}
}

// Whatever a file holds, a block that is put in, changed and taken out again leaves the rest of
// it as it was, but for a missing last line end.
func TestBlockRoundTrip(t *testing.T) {
	line := rapid.StringMatching(`[a-z0-9 #]{0,12}`)
	h := newNode(t)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(line, 0, 8).Draw(t, "lines"), "\n")
		if err := os.WriteFile(h.Path("/etc/file"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		b := &resource.Block{Path: "/etc/file", Marker: "m"}
		other := &resource.Block{Path: "/etc/file", Marker: "m2", Lines: []string{"other"}}
		for _, step := range []*resource.Block{b, other} {
			step.Lines = rapid.SliceOfN(line, 0, 5).Draw(t, "block")
			carry(t, h, step)
		}
		b.Lines = rapid.SliceOfN(line, 0, 5).Draw(t, "changed")
		carry(t, h, b)
		b.Absent, other.Absent = true, true
		carry(t, h, b)
		carry(t, h, other)
		after, err := os.ReadFile(h.Path("/etc/file"))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.TrimSuffix(string(after), "\n"), strings.TrimSuffix(text, "\n"); got != want {
			t.Fatalf("rest of the file is %q, was %q", got, want)
		}
	})
}

// carry applies the block when it differs and checks that it then does not.
func carry(t *rapid.T, h *resource.Host, b *resource.Block) {
	for range 2 {
		c, err := b.Diff(context.Background(), h)
		if err != nil {
			t.Fatal(err)
		}
		if c == nil {
			return
		}
		if err := b.Apply(context.Background(), h); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("block %+v does not converge", b)
}
