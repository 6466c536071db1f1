package etcd

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pigsty/internal/resource"
)

// oneUnit is a service manager with one unit, which is enabled.
type oneUnit struct {
	resource.Systemd
	active, file string
	ends         int // looks until it has ended by itself; 0 = it does not
	asked        []string
}

func (u *oneUnit) State(context.Context, string) (resource.UnitState, error) {
	if u.ends--; u.ends == 0 {
		u.active = "failed"
	}
	return resource.UnitState{Load: "loaded", Active: u.active, File: u.file}, nil
}

func (u *oneUnit) Stop(context.Context, string) error {
	u.active, u.asked = "inactive", append(u.asked, "stop")
	return nil
}

func (u *oneUnit) Disable(context.Context, string) error {
	u.file, u.asked = "disabled", append(u.asked, "disable")
	return nil
}

const oneMember = `{"members":[{"ID":"1439054925181548791", "name":"etcd-1", "peerURLs":["https://10.10.10.10:2380"], "clientURLs":["{here}"]}]}`

// retiree is a node whose etcd runs, and a cluster that gives the list of members.
func retiree(t *testing.T, members string) (*resource.Host, *oneUnit, *fakeEtcd, *Retire) {
	u := &oneUnit{active: "active", file: "enabled"}
	h := &resource.Host{Root: t.TempDir(), Systemd: u}
	f := newFakeEtcd(t, h, map[string]string{"cluster/member/list": members, "maintenance/status": nothing})
	put(t, h, "/data/etcd/member/snap/db", "")
	return h, u, f, &Retire{Unit: "etcd.service", PeerURL: "https://10.10.10.11:2380", ClientURL: f.url, Data: "/data/etcd", API: f.api}
}

func TestRetire(t *testing.T) {
	h, u, f, r := retiree(t, twoMembers)
	c := diff(t, h, r)
	if c == nil || c.Action != resource.Delete || len(c.Fields) != 5 {
		t.Fatalf("a member that is about to leave gives %+v", c)
	}
	f.answers["cluster/member/list"] = oneMember
	u.active = "failed" // a removed member ends by itself
	if err := r.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	kept, err := filepath.Glob(h.Path("/data/etcd/member.removed-*/snap/db"))
	if err != nil || len(kept) != 1 || !slices.Contains(u.asked, "disable") {
		t.Errorf("kept %v, %v, asked %q", kept, err, u.asked)
	}
	if c := diff(t, h, r); c != nil {
		t.Errorf("then %+v", c)
	}
}

// A run that was cut short after the unit is finished by the next.
func TestRetireAfterInterruption(t *testing.T) {
	h, u, _, r := retiree(t, oneMember)
	u.active, u.file = "inactive", "disabled"
	if c := diff(t, h, r); c == nil || len(c.Fields) != 3 {
		t.Fatalf("gives %+v", c)
	}
	if err := r.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
}

// A removed member needs a moment to end, and is not mistaken for one of another cluster.
func TestRetireAwaitsTheEnd(t *testing.T) {
	h, u, _, r := retiree(t, oneMember)
	u.ends = 5
	if c := diff(t, h, r); c == nil {
		t.Errorf("a member that is about to end is left alone: %q", h.TakeNotes())
	}
}

func TestRetireLeavesAlone(t *testing.T) {
	for name, c := range map[string]struct {
		members, note string
		safeguard     bool
	}{
		"a member that the safeguard keeps":    {twoMembers, "", true},
		"one that serves another cluster":      {oneMember, "serves another cluster", false},
		"one that the cluster says nothing of": {`!{"code":14, "message":"etcdserver: request timed out"}`, "cannot be asked whether it still counts it", false},
	} {
		h, u, _, r := retiree(t, c.members)
		r.Safeguard = c.safeguard
		other := newFakeEtcd(t, h, map[string]string{"maintenance/status": `{"header":{"cluster_id":"4711"}}`})
		r.ClientURL = other.url
		if change := diff(t, h, r); change != nil || len(u.asked) > 0 {
			t.Errorf("%s: %+v, asked %q", name, change, u.asked)
		}
		if notes := h.TakeNotes(); strings.Join(notes, "") == "" != (c.note == "") || !strings.Contains(strings.Join(notes, ""), c.note) {
			t.Errorf("%s: notes %q", name, notes)
		}
	}
}
