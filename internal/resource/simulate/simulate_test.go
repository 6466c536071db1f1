package simulate_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"pigsty/internal/fact"
	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

func TestFreshNodeHasFacts(t *testing.T) {
	h := simulate.NewHost(t.TempDir())
	if err := simulate.Rename(h.Root, "node-7", "eth0 10.10.10.17/24"); err != nil {
		t.Fatal(err)
	}
	n, err := fact.Gather(context.Background(), fact.Query{DataDir: "/data"}, h.Root)
	if err != nil {
		t.Fatal(err)
	}
	if n.Hostname != "node-7" || n.OS != "debian" || n.Release != 13 || !n.Container || len(n.Addresses) != 1 || n.CPUs != 2 {
		t.Errorf("%+v", n)
	}
}

// The state of a node is its folder: a second connection sees what the first did.
func TestStateOutlivesHost(t *testing.T) {
	root := t.TempDir()
	u := &resource.Unit{Unit: "etcd.service"}
	steps := []resource.Resource{&resource.Packages{ID: "etcd", Packages: []string{"etcd-server"}}, u}
	for pass := range 2 {
		h := simulate.NewHost(root)
		for _, r := range steps {
			c, err := r.Diff(context.Background(), h)
			if err != nil {
				t.Fatal(err)
			}
			if (c != nil) != (pass == 0) {
				t.Errorf("pass %d: %s: %+v", pass, resource.ID(r), c)
			}
			if c == nil {
				continue
			}
			if err := r.Apply(context.Background(), h); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestOtherCommandsAreRefused(t *testing.T) {
	h := simulate.NewHost(t.TempDir())
	for _, argv := range [][]string{
		{"rm", "-rf", "/"},
		{"apt-get", "purge", "curl"},
		{"dpkg", "-i", "x.deb"},
		{"tuned-adm", "off"},
		{"useradd"},
		{"usermod", "a", "b"},
		{"groupadd"},
		{"usermod", "nobody-here"},
		{"groupadd", "root"},
	} {
		_, err := h.Exec.Run(context.Background(), resource.Command{Argv: argv})
		if _, ok := errors.AsType[*resource.CommandError](err); !ok {
			t.Errorf("%q: %v", argv, err)
		}
	}
}

func TestUnitsBehaveLikeSystemd(t *testing.T) {
	ctx := context.Background()
	s := simulate.NewHost(t.TempDir()).Systemd
	if err := s.Start(ctx, "missing.service"); err == nil {
		t.Error("a unit that is not there was started")
	}
	if err := s.Reload(ctx, "systemd.service"); err != nil {
		t.Errorf("reload of a unit that is up: %v", err)
	}
	if err := errors.Join(s.Stop(ctx, "cron.service"), s.Mask(ctx, "cron.service")); err != nil {
		t.Fatal(err)
	}
	for verb, do := range map[string]func(context.Context, string) error{"start": s.Start, "enable": s.Enable, "reload": s.Reload} {
		if do(ctx, "cron.service") == nil {
			t.Errorf("%s of a masked unit succeeded", verb)
		}
	}
}

func TestBrokenRootIsReported(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	h := simulate.NewHost(file)
	_, err := h.Systemd.State(context.Background(), "x.service")
	if err == nil || !strings.Contains(err.Error(), "furnish simulated node") {
		t.Errorf("error %v", err)
	}
	if _, err := h.Exec.Run(context.Background(), resource.Command{Argv: []string{"apt-get", "update"}}); err == nil {
		t.Error("a command ran on a node that is not there")
	}
}

func BenchmarkFurnish(b *testing.B) {
	for b.Loop() {
		simulate.NewHost(b.TempDir())
	}
}
