//go:build e2e

package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	race "pigsty/internal/election"
)

// report is what pigsty pg why says of pg-main.
func (p *topology) report() race.Report {
	p.t.Helper()
	r := p.pigsty("pg", "why", "pg-main", "-o", "json")
	var reports []race.Report
	if err := json.Unmarshal([]byte(r.out), &reports); err != nil || len(reports) != 1 {
		p.t.Fatalf("why: %v\n%s%s", err, r.out, r.err)
	}
	return reports[0]
}

// explains waits until the command gives such a reason for an instance.
func (p *topology) explains(instance, code string) {
	p.t.Helper()
	var r race.Report
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		r = p.report()
		for _, v := range r.Members {
			given := slices.ContainsFunc(v.Reasons, func(reason race.Reason) bool { return reason.Code == code })
			if v.Instance == instance && given && !slices.Contains(r.Winners, instance) {
				return
			}
		}
	}
	p.t.Errorf("%q is not among the reasons against %s: %+v", code, instance, r)
}

// wins waits until the command names just these as winners, in the order of pg_seq.
func (p *topology) wins(instances ...string) {
	p.t.Helper()
	var r race.Report
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		if r = p.report(); slices.Equal(r.Winners, instances) {
			return
		}
	}
	p.t.Fatalf("the winners are not %q: %+v", instances, r)
}

// why brings about what speaks against a member, one after the other, and in the end a failover
// that was foretold.
func (p *topology) why() {
	p.wins("pg-main-2", "pg-main-3")

	p.must(0, "pg", "pause", "pg-main", "-y")
	p.explains("pg-main-2", race.Paused)
	if r := p.must(2, "pg", "why", "pg-main"); !strings.Contains(r.out, "nobody would take over") {
		p.t.Errorf("a paused cluster:\n%s", r.out)
	}
	p.must(0, "pg", "resume", "pg-main", "-y")

	p.must(0, "pg", "config", "pg-main", "synchronous_mode=true", "-y")
	p.becomes("10", "SELECT string_agg(sync_state, ' ' ORDER BY sync_state) FROM pg_stat_replication", "async sync")
	synchronous := p.tell("10", "SELECT application_name FROM pg_stat_replication WHERE sync_state = 'sync'")
	other := map[string]string{"pg-main-2": "pg-main-3", "pg-main-3": "pg-main-2"}[synchronous]
	p.explains(other, race.NotSynchronous)
	p.wins(synchronous)
	p.must(0, "pg", "config", "pg-main", "synchronous_mode=false", "-y")

	onNode(p.t, p.nodes, "node-2", "systemctl", "stop", "patroni")
	p.explains("pg-main-3", race.Silent)
	onNode(p.t, p.nodes, "node-2", "systemctl", "start", "patroni")
	p.wins("pg-main-2", "pg-main-3")

	onNode(p.t, p.nodes, "node-2", "sh", "-c", "sed -i 's/nofailover: false/nofailover: true/' /etc/patroni/patroni.yml && systemctl reload patroni")
	p.explains("pg-main-3", race.NoFailover)
	p.wins("pg-main-2")
	p.apply() // sets the tag and the configuration back
	p.must(0, "pg", "config", "pg-main", "synchronous_mode=false", "-y")
	p.becomes("10", "SHOW synchronous_standby_names", "")
	p.wins("pg-main-2", "pg-main-3")

	const receiver = "$(pgrep -f '[w]alreceiver')"
	onNode(p.t, p.nodes, "node-2", "sh", "-c", "kill -STOP "+receiver)
	p.do("10", "CREATE TABLE many AS SELECT repeat('x', 1000) FROM generate_series(1, 5000)")
	p.explains("pg-main-3", race.TooFarBehind)
	onNode(p.t, p.nodes, "node-2", "sh", "-c", "kill -CONT "+receiver)
	p.wins("pg-main-2", "pg-main-3")

	p.foretold(receiver)
}

// foretold has a leader lost whose successor follows from what the others have received.
func (p *topology) foretold(receiver string) {
	p.must(0, "pg", "switchover", "pg-main", "--to", "pg-main-2", "-y")
	p.wins("pg-main-1", "pg-main-3")
	onNode(p.t, p.nodes, "meta", "sh", "-c", "kill -STOP "+receiver)
	p.do("11", "CREATE TABLE ahead AS SELECT 1 AS id")
	p.explains("pg-main-1", race.OtherAhead)
	p.wins("pg-main-3")
	if err := p.nodes.Kill(p.t.Context(), "node-1"); err != nil {
		p.t.Fatal(err)
	}
	p.becomes("12", leads, "true")
	onNode(p.t, p.nodes, "meta", "sh", "-c", "kill -CONT "+receiver)
	p.explains("pg-main-2", race.NodeLost)
	if err := p.nodes.Start(p.t.Context(), "node-1"); err != nil {
		p.t.Fatal(err)
	}
	p.becomes("12", fed, "pg-main-1 pg-main-2")
	p.must(0, "pg", "switchover", "pg-main", "--to", "pg-main-1", "-y")
	p.apply()
	p.becomes("10", fed, "pg-main-2 pg-main-3")
}
