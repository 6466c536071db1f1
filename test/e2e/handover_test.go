//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pigsty/bench/traffic"
)

// TestHandover moves the leader of a cluster back and forth under clients of its pools, which must
// see no error: by every member's HAProxy, with connections that stay and with new ones, with
// prepared statements and without.
func TestHandover(t *testing.T) {
	t.Parallel() // most of it is waiting
	nodes := startNodes(t, "t-handover", "10.10.77.0/24", 4, withSoftware)
	s := newSite(t, nodes, "sandbox.yml")
	s.apply()
	s.healthy()
	l := login{host: "11", port: "5433", user: "test", password: "test", database: "test"}
	hangUp(s.mustConnect(l))
	if err := traffic.Prepare(t.Context(), s.target(l)); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		do   func(*handover)
	}{
		{"three in turn", (*handover).inTurn},
		{"open transaction", (*handover).openTransaction},
		{"agent killed", (*handover).agentKilled},
		{"restart by switchover", (*handover).restarts},
		{"handover killed", (*handover).handoverKilled},
	} {
		t.Run(step.name, func(t *testing.T) {
			h := &handover{s.in(t), l}
			step.do(h)
			h.settled()
			h.healthy()
			h.planIsEmpty()
		})
	}
}

type handover struct {
	*site
	login
}

// load starts 20 clients of port 5433, some of them new at every transaction, and readers of 5434.
func (h *handover) load() *traffic.Load {
	var all []traffic.Client
	for i := range 20 {
		l := h.login
		l.host = []string{"11", "12", "13"}[i%3]
		kind := []traffic.Kind{traffic.Writer, traffic.Prepared, traffic.Caller, traffic.Writer, traffic.Prepared}[i/4]
		all = append(all, traffic.Client{Name: fmt.Sprintf("%s %d by %s", kind, i, l.host), Kind: kind, Target: h.target(l)})
	}
	for _, host := range []string{"11", "12", "13"} {
		l := h.login
		l.host, l.port = host, "5434"
		all = append(all, traffic.Client{Name: "reader by " + host, Kind: traffic.Reader, Target: h.target(l)})
	}
	load := traffic.Start(all)
	h.t.Cleanup(func() { load.Stop() })
	return load
}

// check fails the test for every transaction that failed. A reader may find its connection closed once
// in each of the switchovers, as docs/services.md says.
func (h *handover) check(reports []traffic.Report, switchovers int) {
	h.t.Helper()
	longest := map[traffic.Kind]time.Duration{}
	for _, r := range reports {
		longest[r.Kind] = max(longest[r.Kind], r.Waited)
		closed := 0
		for _, failure := range r.Failed {
			if r.Kind == traffic.Reader && strings.HasSuffix(failure, ": conn closed") && closed < switchovers {
				closed++
				h.t.Logf("%s had to connect again: %s", r.Name, failure)
				continue
			}
			h.t.Errorf("%s: %s", r.Name, failure)
		}
		if r.Done == 0 {
			h.t.Errorf("%s has done nothing", r.Name)
		}
	}
	h.t.Logf("longest waits: %v", longest)
}

// written holds the rows of the table against what was acknowledged in all.
func (h *handover) written(reports []traffic.Report) {
	h.t.Helper()
	acked := 0
	for _, r := range reports {
		if r.Kind != traffic.Reader {
			acked += r.Done
		}
	}
	rows, err := h.ask(h.login, "SELECT count(*)::text FROM "+traffic.Table)
	if err != nil || rows != fmt.Sprint(acked) {
		h.t.Errorf("%d rows were acknowledged, and %s are there: %v", acked, rows, err)
	}
}

// inTurn moves the leader three times, at last to where it was.
func (h *handover) inTurn() {
	first := h.leads().Name
	load := h.load()
	time.Sleep(2 * time.Second) // for clients to be under way
	for _, to := range []string{another(first), another(first, another(first)), first} {
		r := h.must(0, "pg", "switchover", "pg-test", "--to", to, "-y")
		h.t.Log(lastLine(r.out))
		if now := h.leads().Name; now != to {
			h.t.Errorf("%s leads, and not %s", now, to)
		}
		for line := range strings.Lines(r.out + r.err) {
			if strings.Contains(line, "waited for") {
				h.t.Log(strings.TrimSpace(line))
			}
		}
	}
	reports := load.Stop()
	h.check(reports, 3)
	h.written(reports)
}

// openTransaction is refused, and changes nothing.
func (h *handover) openTransaction() {
	old := h.leads().Name
	conn := h.mustConnect(h.login)
	tx, err := conn.Begin(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	load := h.load()
	if r := h.must(1, "pg", "switchover", "pg-test", "-y"); !strings.Contains(r.out+r.err, "did not end within 5s, and nothing was changed") ||
		!strings.Contains(r.out+r.err, "of user test") {
		h.t.Errorf("it does not say why:\n%s%s", r.out, r.err)
	}
	if now := h.leads().Name; now != old {
		h.t.Errorf("%s leads, and not %s", now, old)
	}
	h.check(load.Stop(), 1)
	if err := tx.Commit(h.t.Context()); err != nil {
		h.t.Errorf("the transaction that was open: %v", err)
	}
	hangUp(conn)
}

// agentKilled kills the agent while clients wait: the handover goes on by itself.
func (h *handover) agentKilled() {
	old := h.leads()
	to := another(old.Name)
	machine := h.nodeAt(lastNumber(old.Host))
	load := h.load()
	done := make(chan result, 1)
	go func() { done <- h.pigsty("pg", "switchover", "pg-test", "--to", to, "-y") }()
	h.during(machine)
	onNode(h.t, h.nodes, machine, "sh", "-c", "kill -9 $(pgrep -f '^/var/lib/pigsty/agent/pigsty-.* agent$')")
	if r := <-done; r.code != 1 {
		h.t.Errorf("a switchover whose agent was killed: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	now := h.leads().Name
	for deadline := time.Now().Add(time.Minute); now != to && time.Now().Before(deadline); now = h.leads().Name {
		time.Sleep(200 * time.Millisecond)
	}
	if now != to {
		h.t.Errorf("%s leads, and not %s", now, to)
	}
	h.check(load.Stop(), 1)
}

// during waits until a handover has begun on a machine.
func (h *handover) during(machine string) {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		out, err := h.nodes.Exec(h.t.Context(), machine, nil, "sh", "-c", "cat /run/pigsty/handover/pg-test.progress 2>/dev/null || true")
		if err == nil && strings.Contains(string(out), `"phase"`) {
			return
		}
	}
	h.t.Fatalf("no handover begins on %s", machine)
}

// restarts has the leader hand over before it restarts.
func (h *handover) restarts() {
	old := h.leads().Name
	load := h.load()
	h.must(0, "pg", "restart", "pg-test", "--switchover", "-y")
	if now := h.leads().Name; now == old {
		h.t.Errorf("%s still leads", old)
	}
	reports := slices.DeleteFunc(load.Stop(), func(r traffic.Report) bool {
		return r.Kind == traffic.Reader // replicas restart under them
	})
	h.check(reports, 1)
}

// handoverKilled kills what holds the clients: they may see an error, and are served again at once.
func (h *handover) handoverKilled() {
	old := h.leads()
	machine := h.nodeAt(lastNumber(old.Host))
	done := make(chan result, 1)
	go func() { done <- h.pigsty("pg", "switchover", "pg-test", "-y") }()
	h.during(machine)
	onNode(h.t, h.nodes, machine, "systemctl", "kill", "--signal=SIGKILL", "pigsty-handover-pg-test.service")
	<-done
}

// settled waits until every node has ended its part, and looks whether anything is left of it.
func (h *handover) settled() {
	h.t.Helper()
	for _, n := range h.nodes.Nodes()[1:] {
		for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Second) {
			out, err := h.nodes.Exec(h.t.Context(), n.Name, nil, "sh", "-c", leftOver)
			if err == nil && strings.TrimSpace(string(out)) == "" {
				break
			}
			if time.Now().After(deadline) {
				h.t.Errorf("%s is left with %s (%v)", n.Name, out, err)
				break
			}
		}
	}
	hangUp(h.mustConnect(h.login))
}

// leftOver says what of a handover is left on a node: its files, databases of the pool that are
// paused or lead elsewhere, servers of HAProxy that are not checked (those that follow another are not).
const leftOver = `ls /run/pigsty/handover 2>/dev/null
sudo -u postgres psql -qAtX -h /var/run/postgresql -p 6432 pgbouncer -c 'SHOW DATABASES' | grep -v '^pgbouncer' | awk -F'|' '$2 !~ "^/" || $16 == 1 {print "database " $0}'
echo 'show servers state' | socat - UNIX-CONNECT:/run/haproxy/admin.sock | awk '$2 ~ /^pg-test-/ && $4 !~ /-leader$/ && ($7 != 0 || $14 < 4) {print "server " $0}'`
