package postgres_test

import (
	"strings"
	"testing"

	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
	"pigsty/internal/resource/simulate"
)

func TestVIPFileTakesAnAddressAway(t *testing.T) {
	h := simulate.NewHost(t.TempDir())
	f := &postgres.VIPFile{Path: "/etc/vip-manager.yml", Unit: "vip-manager.service"}
	converge := func(want resource.Action) *resource.Change {
		t.Helper()
		c, err := f.Diff(t.Context(), h)
		if err != nil || c == nil || c.Action != want {
			t.Fatalf("change %+v, error %v; want %s", c, err, want)
		}
		if err := f.Apply(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		if left, err := f.Diff(t.Context(), h); left != nil || err != nil {
			t.Errorf("still to change: %+v, error %v", left, err)
		}
		return c
	}
	commands := func() string { return strings.Join(h.Exec.(*simulate.Executor).Calls(), "; ") }
	f.Content = "ip: 10.0.0.3\nnetmask: 24\ninterface: 'eth0'\n"
	converge(resource.Create)
	f.Content += "interval: 1000\n"
	if c := converge(resource.Update); c.Impact != resource.NoImpact {
		t.Errorf("impact %s of a change that keeps the address", c.Impact)
	}
	if got := commands(); got != "" {
		t.Errorf("commands %q", got)
	}
	f.Content = strings.Replace(f.Content, "10.0.0.3", "10.0.0.4", 1)
	if c := converge(resource.Update); c.Impact != resource.Restart || c.Effect != "10.0.0.3 goes away" {
		t.Errorf("%+v", c)
	}
	if got := commands(); got != "ip address delete 10.0.0.3/24 dev eth0" {
		t.Errorf("commands %q", got)
	}
	f.Absent, f.Content = true, ""
	if c := converge(resource.Delete); c.Impact != resource.Restart || c.Effect != "10.0.0.4 goes away" {
		t.Errorf("%+v", c)
	}
	if got := commands(); !strings.HasSuffix(got, "; ip address delete 10.0.0.4/24 dev eth0") {
		t.Errorf("commands %q", got)
	}
}
