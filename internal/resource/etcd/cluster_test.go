package etcd

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/resource"
)

func diff(t *testing.T, h *resource.Host, r resource.Resource) *resource.Change {
	t.Helper()
	c, err := r.Diff(context.Background(), h)
	if err != nil {
		t.Fatalf("%s: %v", resource.ID(r), err)
	}
	return c
}

func TestMember(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	answers := map[string]string{
		"health": healthy, "cluster/member/list": oneLearner,
		"maintenance/status": `{"leader":"1439054925181548791"}`, "cluster/member/promote": nothing,
	}
	f := newFakeEtcd(t, h, answers)
	m := &Member{Member: "etcd-2", PeerURL: "https://10.10.10.11:2380", API: f.api}
	if c := diff(t, h, m); c == nil || c.Fields[0].Name != "vote" {
		t.Errorf("a learner gives %+v", c)
	}
	if err := m.Apply(context.Background(), h); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`cluster/member/promote {"ID":"5980570404695491720"}`}, f.changed()); diff != "" {
		t.Error(diff)
	}
	answers["cluster/member/list"] = twoMembers
	if c := diff(t, h, m); c != nil {
		t.Errorf("a voter gives %+v", c)
	}
	answers["health"] = `{"health":"false","reason":"RAFT NO LEADER"}`
	if c := diff(t, h, m); c == nil || c.Fields[0].Name != "health" {
		t.Errorf("one without quorum gives %+v", c)
	}
	if c := diff(t, &resource.Host{Root: t.TempDir()}, m); c == nil {
		t.Error("a node without a certificate needs nothing")
	}
}

func TestJoinReplacesALostMember(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	answers := map[string]string{"members": peerList, "cluster/member/remove": nothing, "cluster/member/add": nothing}
	f := newFakeEtcd(t, h, answers)
	lag := 0 // how often the old list is still told when the new one is in force
	f.noted = func(question string) {
		switch {
		case question == "cluster/member/add":
			lag = 2
		case question == "members" && lag > 0:
			if lag--; lag == 0 {
				answers["members"] = peerListToStart
			}
		}
	}
	j := &Join{
		Member: "etcd-2", PeerURL: "https://10.10.10.11:2380", Peers: []string{f.url},
		Cluster: "pigsty", Data: "/data/etcd", Path: "/initial.conf", API: f.api,
	}
	if c := diff(t, h, j); c == nil || c.Fields[0].Before != "lost its data" {
		t.Errorf("gives %+v", c)
	}
	if err := j.Apply(context.Background(), h); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`cluster/member/remove {"ID":"5980570404695491720"}`,
		`cluster/member/add {"isLearner":true,"peerURLs":["https://10.10.10.11:2380"]}`,
	}
	if diff := cmp.Diff(want, f.changed()); diff != "" {
		t.Error(diff)
	}
	text, err := os.ReadFile(h.Path(j.Path))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"ETCD_INITIAL_CLUSTER_STATE=existing\n", "ETCD_INITIAL_CLUSTER=etcd-1=https://10.10.10.10:2380,etcd-2=https://10.10.10.11:2380\n"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
	put(t, h, "/data/etcd/member/wal/0.wal", "")
	if c := diff(t, h, j); c != nil {
		t.Errorf("a member with data gives %+v", c)
	}
}

// A member that has not heard of the removal yet says that the newcomer is there already; so does
// one that took a request whose answer was lost.
func TestJoinIsListedAlready(t *testing.T) {
	for _, said := range []string{"Peer URLs already exists", "member ID already exist"} { // later, and within the same second
		for name, lost := range map[string]bool{"removal not heard of": false, "answer lost": true} {
			t.Run(name+", "+said, func(t *testing.T) {
				h := &resource.Host{Root: t.TempDir()}
				answers := map[string]string{"members": peerList, "cluster/member/remove": nothing, "cluster/member/add": `!{"code":9, "message":"etcdserver: ` + said + `"}`}
				f := newFakeEtcd(t, h, answers)
				asked := 0
				f.noted = func(question string) {
					if question != "cluster/member/add" {
						return
					}
					asked++
					if lost || asked == 2 {
						answers["members"] = peerListToStart
					}
					if asked == 2 {
						answers["cluster/member/add"] = nothing
					}
				}
				j := &Join{Member: "etcd-2", PeerURL: "https://10.10.10.11:2380", Peers: []string{f.url}, Data: "/data/etcd", Path: "/initial.conf", API: f.api}
				if err := j.Apply(context.Background(), h); err != nil {
					t.Fatal(err)
				}
				if want := map[bool]int{true: 1, false: 2}[lost]; asked != want {
					t.Errorf("asked %d times to be added, want %d", asked, want)
				}
			})
		}
	}
}

func TestJoinRefusesAMemberThatRuns(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	f := newFakeEtcd(t, h, map[string]string{"health": healthy, "members": strings.Replace(peerList, "https://127.0.0.1:1", "{here}", 1)})
	j := &Join{Member: "etcd-2", PeerURL: "https://10.10.10.11:2380", Peers: []string{f.url}, Data: "/data/etcd", Path: "/initial.conf", API: f.api}
	if err := j.Apply(context.Background(), h); err == nil || !strings.Contains(err.Error(), "etcd_data_dir") {
		t.Errorf("says %v", err)
	}
}

func TestJoinFoundsWithALateFounder(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	unstarted := strings.NewReplacer(`,"clientURLs":["{here}"]`, "", `,"clientURLs":["https://127.0.0.1:1"]`, "").Replace(peerList)
	f := newFakeEtcd(t, h, map[string]string{"members": unstarted})
	j := &Join{Member: "etcd-2", PeerURL: "https://10.10.10.11:2380", Peers: []string{f.url}, Data: "/data/etcd", Path: "/initial.conf", API: f.api}
	if err := j.Apply(context.Background(), h); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(h.Path(j.Path)); err != nil || !strings.Contains(string(text), "STATE=new\n") {
		t.Errorf("%s %v", text, err)
	}
}

func TestLeave(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	f := newFakeEtcd(t, h, map[string]string{"health": healthy, "cluster/member/list": twoMembers, "cluster/member/remove": nothing})
	l := &Leave{Listed: []string{"https://10.10.10.10:2380"}, Safeguard: true, API: f.api}
	c := diff(t, h, l)
	if c == nil || c.Action != resource.Delete || len(c.Fields) != 1 {
		t.Fatalf("a dead member gives %+v", c)
	}
	if err := l.Apply(context.Background(), h); err != nil || len(f.changed()) != 1 {
		t.Errorf("%v, asked %q", err, f.changed())
	}
	l.Listed = []string{"https://10.10.10.11:2380"}
	if _, err := l.Diff(context.Background(), h); err == nil || !strings.Contains(err.Error(), "dcs_safeguard") {
		t.Errorf("the safeguard says %v", err)
	}
	l.Safeguard = false
	if _, err := l.Diff(context.Background(), h); err == nil || !strings.Contains(err.Error(), "majority") {
		t.Errorf("with a dead rest it says %v", err)
	}
}

func TestData(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	d := &Data{Path: "/data/etcd", Config: "/etc/etcd/etcd.conf", Purge: true}
	if c := diff(t, h, d); c == nil || c.Action != resource.Create {
		t.Errorf("gives %+v", c)
	}
	if err := d.Apply(context.Background(), h); err != nil {
		t.Fatal(err)
	}
	put(t, h, "/data/etcd/member/snap/db", "")
	if c := diff(t, h, d); c != nil {
		t.Errorf("then %+v", c)
	}
	if notes := h.TakeNotes(); len(notes) != 1 || !strings.Contains(notes[0], "kept") {
		t.Errorf("notes %q", notes)
	}
	put(t, h, d.Config, "ETCD_NAME=etcd-1\nETCD_DATA_DIR=/data/etcd\n")
	d.Path = "/fast/etcd"
	if _, err := d.Diff(context.Background(), h); err == nil || !strings.Contains(err.Error(), "/fast/etcd") {
		t.Errorf("a new directory gives %v", err)
	}
}

func TestGatewayRefusesCommonName(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	f := newFakeEtcd(t, h, map[string]string{
		"cluster/member/list": "!CommonName of client sending a request against gateway will be ignored and not used as expected\n",
		"health":              healthy,
	})
	_, err := (&Member{API: f.api}).Diff(context.Background(), h)
	if err == nil || !strings.Contains(err.Error(), "CommonName of client") {
		t.Errorf("says %v", err)
	}
}

// An election in the midst of a question is waited for.
func TestElectionIsWaitedFor(t *testing.T) {
	for _, said := range []string{
		`!{"code":14, "message":"etcdserver: leader changed"}`,
		`!{"code":14, "message":"etcdserver: no leader"}`,
		`!{"code":2, "message":"raft proposal dropped"}`,
	} {
		h := &resource.Host{Root: t.TempDir()}
		answers := map[string]string{"health": healthy, "cluster/member/list": said}
		f := newFakeEtcd(t, h, answers)
		asked := 0
		f.noted = func(question string) {
			if question == "cluster/member/list" {
				if asked++; asked == 3 {
					answers[question] = twoMembers
				}
			}
		}
		m := &Member{Member: "etcd-2", PeerURL: "https://10.10.10.11:2380", API: f.api}
		if c := diff(t, h, m); c != nil || asked != 3 {
			t.Errorf("%s: %+v after %d questions", said, c, asked)
		}
	}
}
