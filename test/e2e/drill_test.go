//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pigsty/internal/drill"
	"pigsty/internal/module"
	"pigsty/internal/resource/fault"
	"pigsty/internal/sandbox"
)

// drillFor is how long a fault lasts in the tests: longer than the 20 seconds that the leader's key
// lasts, where the point is what becomes of a leader that loses it.
var drillFor = map[string]string{
	fault.PowerCut: "25s", fault.Freeze: "30s", fault.CutPeers: "30s", fault.CutDCS: "25s",
	fault.EtcdLeader: "8s", fault.EtcdQuorum: "25s", fault.FullDisk: "20s",
}

// withDisk gives nodes a disk that can be filled.
func withDisk(c *sandbox.Config) { c.Disk = 2 << 30 }

// TestDrill breaks a synchronous and an asynchronous cluster in every way there is, by the
// product's own command. What was acknowledged must be there, but for what asynchronous replication
// may lose with a leader, and everything has to be healthy again without hands.
func TestDrill(t *testing.T) {
	t.Run("synchronous", func(t *testing.T) {
		t.Parallel() // most of it is waiting
		nodes := startNodes(t, "t-drill-sync", "10.10.78.0/24", 3, withSoftware, withDisk)
		drillAll(t, filledSite(t, nodes, drilled("crit.yml")), true)
	})
	t.Run("asynchronous", func(t *testing.T) {
		t.Parallel()
		nodes := startNodes(t, "t-drill-async", "10.10.79.0/24", 3, withSoftware, withDisk)
		s := filledSite(t, nodes, drilled("oltp.yml"))
		drillAll(t, s, false)
		drillRefuses(s.in(t))
	})
}

// drilled is the inventory of critical with a tuning template and short times.
func drilled(template string) string {
	return strings.NewReplacer(
		"pg_conf: crit.yml", "pg_conf: "+template+"\n        pg_rto: fast",
		"pg_dcs_type: etcd", "pg_dcs_type: etcd\n    etcd_data_dir: /var/lib/etcd", // not on the disk that is filled
	).Replace(critical)
}

func drillAll(t *testing.T, s *site, synchronous bool) {
	s.apply()
	s.healthy()
	for _, f := range module.Faults() {
		passed := t.Run(f.Name, func(t *testing.T) {
			d := &driller{s.in(t)}
			r := d.drill(f.Name)
			d.judge(r, synchronous)
			d.planIsEmpty()
			d.tablesAreGone()
		})
		if !passed {
			break // the cluster may be anything by now
		}
	}
}

type driller struct{ *site }

// drill runs one drill, with its page, and returns its report.
func (d *driller) drill(name string, more ...string) drill.Report {
	d.t.Helper()
	page := filepath.Join(d.t.ArtifactDir(), name+".html")
	args := append([]string{"drill", name, "pg-test", "--yes-destroy", "pg-test", "-o", "json", "--page", page}, more...)
	if lasts := drillFor[name]; lasts != "" {
		args = append(args, "--for", lasts)
	}
	// A cluster that lost its only synchronous standby has the next one in a moment.
	r := d.pigsty(args...)
	for deadline := time.Now().Add(time.Minute); strings.Contains(r.err, "is not healthy") && time.Now().Before(deadline); r = d.pigsty(args...) {
		time.Sleep(time.Second)
	}
	var report drill.Report
	if err := json.Unmarshal([]byte(r.out), &report); err != nil {
		d.t.Fatalf("drill %s: exit code %d, %v\n%s%s", name, r.code, err, r.out, r.err)
	}
	d.t.Logf("%s", strings.Join(report.Verdict.Says, " "))
	d.t.Logf("longest without a write %.2f s; %s", report.Unavailable, phasesOf(report))
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), report.Leader) {
		d.t.Errorf("the page does not name %s: %v", report.Leader, err)
	}
	if want := map[bool]int{true: 0, false: 1}[report.Verdict.Passed]; r.code != want && !report.Verdict.Tolerated || report.Verdict.Tolerated && r.code != 2 {
		d.t.Errorf("exit code %d for %+v", r.code, report.Verdict)
	}
	if d.t.Failed() || !report.Healthy {
		d.t.Logf("%s%s", r.out, r.err)
	}
	return report
}

func phasesOf(r drill.Report) string {
	var all []string
	for _, p := range r.Phases {
		all = append(all, p.Name+" "+time.Duration(p.Took*float64(time.Second)).Round(10*time.Millisecond).String())
	}
	return strings.Join(all, ", ")
}

// judge holds a report against what the product promises.
func (d *driller) judge(r drill.Report, synchronous bool) {
	d.t.Helper()
	l := r.Ledger
	if !r.Healthy || !l.Compared || l.Acknowledged == 0 || len(l.Doubled)+len(l.Strange) > 0 {
		d.t.Errorf("healthy %v (%s), ledger %+v", r.Healthy, r.Complaint, l)
	}
	// An asynchronous leader that did not hand over takes its last writes with it.
	mayLose := !synchronous && r.Successor != r.Leader && r.Fault != fault.Switchover
	if !mayLose && (len(l.Lost) > 0 || len(r.Primaries.Acknowledged) > 0) {
		d.t.Errorf("lost %v; two primaries that wrote: %+v", l.Lost, r.Primaries.Acknowledged)
	}
	if want := map[bool]string{true: "synchronous", false: "asynchronous"}[synchronous]; r.Replication != want {
		d.t.Errorf("replication is %s, not %s", r.Replication, want)
	}
	for _, w := range r.Ways {
		if w.Acknowledged == 0 || w.Stopped != nil && w.Resumed == nil {
			d.t.Errorf("%s: %+v", w.Name, w)
		}
	}
	if r.Fault == fault.PowerCut {
		for _, phase := range []string{"detection", "election", "promotion", "routing", "everywhere", "rejoin"} {
			if !slices.ContainsFunc(r.Phases, func(p drill.Phase) bool { return p.Name == phase && p.Took >= 0 }) {
				d.t.Errorf("phase %s is not found: %+v", phase, r.Phases)
			}
		}
		if r.Successor == r.Leader || r.Promise == nil {
			d.t.Errorf("%s led before and %s after; promised: %+v", r.Leader, r.Successor, r.Promise)
		}
	}
}

// tablesAreGone proves that the drill has left nothing in the database.
func (d *driller) tablesAreGone() {
	d.t.Helper()
	l := d.dba("3")
	l.database = "test"
	l.port = "5436"
	if n := query(d.t, d.mustConnect(l), "SELECT count(*)::text FROM pg_namespace WHERE nspname = 'pigsty_drill'"); n != "0" {
		d.t.Error("the schema pigsty_drill is still there")
	}
}

// drillRefuses proves that a drill breaks nothing that it should not.
func drillRefuses(s *site) {
	refused := func(why string, args ...string) {
		s.t.Helper()
		if r := s.must(1, append([]string{"drill"}, args...)...); !strings.Contains(r.out+r.err, why) {
			s.t.Errorf("drill %s does not say %q:\n%s%s", strings.Join(args, " "), why, r.out, r.err)
		}
	}
	refused("pigsty drill lists them", "earthquake", "pg-test", "-y")
	refused("no cluster pg-tset", fault.Switchover, "pg-tset", "-y")
	refused("say --yes", fault.Switchover, "pg-test")
	refused("say --yes-destroy pg-test", fault.PowerCut, "pg-test", "-y")
	refused("was typed, and not pg-test", fault.PowerCut, "pg-test", "--yes-destroy", "pg-tset")
	refused("user nobody cannot be used", fault.Switchover, "pg-test", "-y", "--user", "nobody")
	refused("it cannot last", fault.Switchover, "pg-test", "-y", "--for", "5s")
	if r := s.must(2, "drill", fault.PowerCut, "pg-test", "--plan"); !strings.Contains(r.out, "loses its power") {
		s.t.Errorf("the plan does not say what happens:\n%s", r.out)
	}
	s.must(0, "pg", "pause", "pg-test", "-y")
	refused("is paused", fault.Switchover, "pg-test", "-y")
	s.must(0, "pg", "resume", "pg-test", "-y")
	s.planIsEmpty()
}
