package postgres

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pigsty/internal/resource"
)

// vipManager is a service manager whose only service puts an address where the leader is, once it
// is started again.
type vipManager struct {
	resource.Systemd // nothing else is asked of it
	restarts         int
	broken           bool
	place            func(here bool)
	leads            func() bool
}

func (m *vipManager) Restart(context.Context, string) error {
	m.restarts++
	if !m.broken {
		m.place(m.leads())
	}
	return nil
}

func TestVIPAddress(t *testing.T) {
	for name, c := range map[string]struct {
		leads, holds, broken bool
		change, failure      string
	}{
		"leader has it":                {leads: true, holds: true},
		"replica does not have it":     {},
		"leader does not have it":      {leads: true, change: "not here, and the leader is"},
		"replica has it":               {holds: true, change: "here, and the leader is not"},
		"leader never gets it":         {leads: true, broken: true, change: "not here, and the leader is", failure: "does not take 10.0.0.3"},
		"replica does not give it up ": {holds: true, broken: true, change: "here, and the leader is not", failure: "keeps 10.0.0.3"},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newPatroniCluster(t, "a", "b")
			cluster.members[0].leads, cluster.members[1].leads = c.leads, !c.leads
			root := t.TempDir()
			place := func(here bool) {
				text := "eth0 10.0.0.11/24\n"
				if here {
					text += "eth0 10.0.0.3/24\n"
				}
				writeForTest(t, filepath.Join(root, "run/addresses"), text)
			}
			if err := os.Mkdir(filepath.Join(root, "run"), 0o755); err != nil {
				t.Fatal(err)
			}
			place(c.holds)
			ca, err := os.ReadFile(cluster.ca)
			if err != nil {
				t.Fatal(err)
			}
			writeForTest(t, filepath.Join(root, "ca.crt"), string(ca))
			manager := &vipManager{broken: c.broken, place: place, leads: func() bool { return c.leads }}
			h := &resource.Host{Root: root, Systemd: manager}
			v := &VIPAddress{IP: "10.0.0.3", Unit: "vip-manager.service", API: cluster.api(), Patience: time.Second}
			v.API.CA = "/ca.crt"

			change, err := v.Diff(t.Context(), h)
			if err != nil {
				t.Fatal(err)
			}
			if c.change == "" {
				if change != nil {
					t.Errorf("to change: %+v", change)
				}
				return
			}
			if change == nil || change.Fields[0].Before != c.change {
				t.Fatalf("change %+v, want %q", change, c.change)
			}
			err = v.Apply(t.Context(), h)
			if c.failure != "" {
				if err == nil || !strings.Contains(err.Error(), c.failure) {
					t.Errorf("error %v, want %q", err, c.failure)
				}
				return
			}
			h.Expect(resource.RestartOf(v.Unit))
			place(!c.leads)
			if pending, err := v.Diff(t.Context(), h); pending != nil || err != nil {
				t.Errorf("about to restart: change %+v, error %v", pending, err)
			}
			h.ForgetExpected()
			place(c.leads)
			if left, err2 := v.Diff(t.Context(), h); err != nil || err2 != nil || left != nil || manager.restarts != 1 {
				t.Errorf("after %d restarts: change %+v, errors %v, %v", manager.restarts, left, err, err2)
			}
		})
	}
}
