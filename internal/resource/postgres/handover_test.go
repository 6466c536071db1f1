package postgres

import (
	"bufio"
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/resource"
)

// Databases lead to the other pool, whatever they are called and limited to.
func TestDatabasesLeadElsewhere(t *testing.T) {
	home := `postgres = host=/var/run/postgresql port=5432
test = host=/var/run/postgresql port=5432 pool_mode=transaction pool_size=3
"my host=x port=1 db" = host=/var/run/postgresql port=5432
`
	want := `postgres = host=10.0.0.2 port=6432
test = host=10.0.0.2 port=6432 pool_mode=transaction pool_size=3
"my host=x port=1 db" = host=10.0.0.2 port=6432
`
	if diff := cmp.Diff(want, ledTo(home, PoolAddress{Host: "10.0.0.2", Port: 6432})); diff != "" {
		t.Error(diff)
	}
}

// haproxyStats is what HAProxy 3.0 answers to "show stat", shortened.
const haproxyStats = `# pxname,svname,qcur,qmax,scur,smax,slim,stot,status,
pg-test-primary,FRONTEND,,,4,9,3000,100,OPEN,
pg-test-primary,pg-test-1,0,0,3,9,3000,100,UP,
pg-test-primary,pg-test-2,0,0,0,9,3000,100,UP 1/3,
pg-test-primary,BACKEND,0,0,3,9,300,100,UP,
pg-test-replica,pg-test-1,0,0,0,9,3000,100,DOWN,

`

// haproxyHost has a HAProxy that answers orders and keeps them.
func haproxyHost(t *testing.T) (h *resource.Host, orders func() []string) {
	h = &resource.Host{Root: t.TempDir()}
	socket := h.Path("/run/haproxy/admin.sock")
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	seen := make(chan string, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err == nil {
				_, err = conn.Write([]byte(answerOf(strings.TrimSpace(line), seen)))
			}
			if closing := conn.Close(); err != nil || closing != nil {
				t.Errorf("HAProxy: %v, %v", err, closing)
			}
		}
	}()
	return h, func() []string {
		var all []string
		for len(seen) > 0 {
			all = append(all, <-seen)
		}
		return all
	}
}

func answerOf(line string, seen chan<- string) string {
	switch {
	case line == "show stat":
		return haproxyStats
	case strings.Contains(line, "pg-test-9"):
		return "No such server.\n\n"
	case strings.Contains(line, "refuse"):
		return "Require 'backend/server'.\n"
	}
	seen <- line
	return "\n"
}

// Sessions are held at the old leader of every pooled service, and where replicas serve also at the
// new one. Once that is seen, the old one gets no new sessions; one without any is given up.
func TestSessionsAreHeldAndDrained(t *testing.T) {
	h, orders := haproxyHost(t)
	if err := os.MkdirAll(h.Path(HandoverFolder), 0o755); err != nil {
		t.Fatal(err)
	}
	k := &keeper{host: h, handoverTask: &handoverTask{
		Handover: Handover{
			Cluster: "pg-test", HAProxy: "/run/haproxy/admin.sock",
			Services: []PooledService{{Backend: "pg-test-primary", Leader: true}},
		},
		handoverOrder: handoverOrder{From: "pg-test-1", To: "pg-test-2"},
	}}
	if err := k.holdSessions(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"disable health pg-test-primary/pg-test-1"}, orders()); diff != "" {
		t.Error(diff)
	}
	k.leader = k.To
	stays, err := k.route(t.Context())
	if err != nil || !stays {
		t.Errorf("stays %v, error %v", stays, err)
	}
	if diff := cmp.Diff([]string{"set server pg-test-primary/pg-test-1 state drain"}, orders()); diff != "" {
		t.Error(diff)
	}
	k.From, k.progress.Unchecked = "pg-test-3", []string{"pg-test-primary/pg-test-2"}
	k.progress.Drained = []string{"pg-test-primary/pg-test-2"}
	if stays, err = k.route(t.Context()); err != nil || stays {
		t.Errorf("stays %v, error %v", stays, err)
	}
	want := []string{"set server pg-test-primary/pg-test-2 state ready", "enable health pg-test-primary/pg-test-2"}
	if diff := cmp.Diff(want, orders()); diff != "" {
		t.Error(diff)
	}
}

// What a handover leaves is undone by whoever finds it, once; the next handover's is left alone.
func TestEndOfHandover(t *testing.T) {
	h, orders := haproxyHost(t)
	if err := os.MkdirAll(h.Path(HandoverFolder), 0o755); err != nil {
		t.Fatal(err)
	}
	o := Handover{Cluster: "pg-test", HAProxy: "/run/haproxy/admin.sock"}
	task := o.path(taskFile)
	leave := func() {
		writeForTest(t, h.Path(task), `{"cluster":"pg-test","haproxy":"/run/haproxy/admin.sock","before":{"phase":""}}`)
		writeForTest(t, h.Path(o.path(progressFile)), `{"phase":"moved","unchecked":["b/one","b/two"],"drained":["b/two"]}`)
	}
	leave()
	writeForTest(t, h.Path(o.path(followedFile)), "")
	if err := EndHandover(t.Context(), h, task); err != nil || len(orders()) > 0 {
		t.Errorf("one that the next has taken over is undone: %v", err)
	}
	if err := os.Remove(h.Path(o.path(followedFile))); err != nil {
		t.Fatal(err)
	}
	if err := EndHandover(t.Context(), h, task); err != nil {
		t.Fatal(err)
	}
	want := []string{"enable health b/one", "set server b/two health down", "enable health b/two", "set server b/two state ready"}
	if diff := cmp.Diff(want, orders()); diff != "" {
		t.Error(diff)
	}
	if left, err := os.ReadDir(h.Path(HandoverFolder)); err != nil || len(left) > 0 {
		t.Errorf("left %v, error %v", left, err)
	}
	if err := EndHandover(t.Context(), h, task); err != nil {
		t.Errorf("a second time: %v", err)
	}
	// A process that is started anew for a task that was begun ends it, too, and so does an apply.
	leave()
	if err := KeepHandover(t.Context(), h, task); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, orders()); diff != "" {
		t.Error(diff)
	}
	leave()
	h.Systemd = &units{state: resource.UnitState{Load: "loaded", Active: "active"}}
	mend := &NoHandover{Cluster: "pg-test"}
	if change, err := mend.Diff(t.Context(), h); change != nil || err != nil {
		t.Errorf("one that is under way: change %v, error %v", change, err)
	}
	h.Systemd = &units{state: resource.UnitState{Load: "not-found", Active: "inactive"}}
	if change, err := mend.Diff(t.Context(), h); change == nil || err != nil {
		t.Errorf("one that was broken off: change %v, error %v", change, err)
	}
	if err := mend.Apply(t.Context(), h); err != nil {
		t.Error(err)
	}
	if change, err := mend.Diff(t.Context(), h); change != nil || err != nil {
		t.Errorf("mended: change %v, error %v", change, err)
	}
}

// units is a service manager that has one unit.
type units struct {
	resource.Systemd
	state resource.UnitState
}

func (u *units) State(context.Context, string) (resource.UnitState, error) { return u.state, nil }

// An apply while clients are carried adds a database: its file stays, and the pool leads there with all of
// what it has now.
func TestCarriedPoolLearnsOfDatabases(t *testing.T) {
	const before, after = "test = host=/run port=5432\n", "test = host=/run port=5432\nshop = host=/run port=5432\n"
	const path = "/etc/pgbouncer/database.txt"
	server := &fakeServer{
		columns: map[string][]string{"SHOW DATABASES": {"name", "host"}, "SHOW CLIENTS": {"database", "connect_time"}},
		rows:    map[string][]string{"SHOW DATABASES": {"test", "/run"}},
	}
	h := server.host(t)
	writeForTest(t, h.Path(path), after)
	k := &keeper{
		handoverTask: &handoverTask{Handover: Handover{
			Cluster: "pg-test", Self: "a", Databases: path, Console: &Conn{}, Pools: map[string]PoolAddress{"b": {Host: "10.0.0.2", Port: 6432}},
		}},
		host: h, leader: "b",
		progress: handoverProgress{Carries: true, Moved: time.Now(), Home: before, Led: ledTo(before, PoolAddress{"10.0.0.2", 6432})},
	}
	if err := os.MkdirAll(filepath.Dir(h.Path(k.path(progressFile))), 0o755); err != nil {
		t.Fatal(err)
	}
	if stay, err := k.serve(t.Context()); !stay || err != nil {
		t.Fatalf("%v, %v", stay, err)
	}
	text, err := os.ReadFile(h.Path(path))
	if err != nil || string(text) != after || k.progress.Home != after || k.progress.Led != ledTo(after, k.Pools["b"]) {
		t.Errorf("%v: %q, led %q", err, text, k.progress.Led)
	}
	if !slices.Contains(server.seen, "RELOAD") {
		t.Errorf("pgBouncer was told %q", server.seen)
	}
}
