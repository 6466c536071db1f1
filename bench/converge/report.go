package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pigsty/bench/machine"
)

// results are everything that was measured.
type results struct {
	options    options
	machine    string
	start, end machine.Moment
	loads      []string // how busy the machine was as each part began

	bare     deployment // on nodes without the packages
	deployed deployment
	verdict  string
	idleRate float64 // processor-seconds that the nodes use each second by themselves

	cold, warm     []cost
	changed, again []cost

	whileChanging, whileAgain, whileQuiet writes

	ansibleVersion            string
	playbook                  *ansible
	ansibleFull, ansibleCheck []cost
	ansibleChanged            int
}

func wall(c cost) time.Duration { return c.wall }
func here(c cost) time.Duration { return c.controller }

// onNodes is what a command cost on the nodes beyond what they use anyway.
func (r *results) onNodes(c cost) time.Duration {
	return max(0, c.nodes-time.Duration(r.idleRate*float64(c.wall)))
}

func (r *results) all(c cost) time.Duration { return c.controller + r.onNodes(c) }

func (r *results) markdown() string {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# Converging four nodes\n")
	p("Written by `go run ./bench/converge`, as root, from the top of the repository. The clock shows")
	p("%s to %s UTC.\n", r.start.At.UTC().Format("2006-01-02 15:04"), r.end.At.UTC().Format("15:04"))
	p("- Machine: %s.", r.machine)
	p("- Nodes: four containers of Debian 13 on that machine, sharing its processors, all packages installed, or, where")
	p("  it says bare, none of them and all in apt's cache.")
	p("- Load average (1, 5, 15 minutes) as each part began: %s; at the end %s.", strings.Join(r.loads, ", "), r.end.Load)
	p("- CPU is processor time counted by cgroups: of the command with all it starts, ssh included; and of the")
	p("  nodes, less the %.2f s per second that their services use when nobody asks them anything.", r.idleRate)
	p("- min / median / max where something ran more than once.\n")
	r.summary(p)
	r.breakdown(p)
	r.writing(p)
	r.comparison(p)
	return b.String()
}

func (r *results) summary(p func(string, ...any)) {
	p("## Figures against targets\n")
	p("| | wall, s | CPU controller, s | CPU nodes, s | target | |")
	p("|---|---|---|---|---|---|")
	d := r.deployed
	p("| deployment from nothing (%d steps, %d changes) | %.1f | %.1f | %.1f | < 40 s | %s |", d.steps, d.changes,
		d.wall.Seconds(), d.controller.Seconds(), r.onNodes(d.cost).Seconds(), met(d.wall < 40*time.Second))
	share := d.own().Seconds() / d.wall.Seconds()
	p("| … of that not initdb, copy, services' start | %.1f (%.0f %%) | | | ≤ 10 %% | %s |", d.own().Seconds(), 100*share, met(share <= 0.1))
	r.row(p, "nothing to change: plan, cold", r.cold, "< 1 s, < 3 CPU-s", time.Second, 3*time.Second)
	r.row(p, "nothing to change: plan, warm", r.warm, "< 0.3 s, < 3 CPU-s", 300*time.Millisecond, 3*time.Second)
	r.row(p, "a user and a database more: apply", r.changed, "< 2 s", 2*time.Second, time.Hour)
	r.row(p, "nothing to change: apply", r.again, "", 0, 0)
	lost := r.whileAgain.failed + r.whileAgain.delayed
	p("| writes failed or delayed > 100 ms in second applies | %d of %d | | | none | %s |", lost, r.whileAgain.all, met(lost == 0))
	p("\nAfter the deployment `pigsty plan` says: %s\n", r.verdict)
}

func (r *results) row(p func(string, ...any), what string, costs []cost, target string, limit, work time.Duration) {
	verdict := ""
	if target != "" {
		verdict = met(spreadOf(costs, wall).median < limit && spreadOf(costs, r.all).median < work)
	}
	p("| %s | %s | %s | %s | %s | %s |", what, spreadOf(costs, wall), spreadOf(costs, here), spreadOf(costs, r.onNodes), target, verdict)
}

func met(yes bool) string {
	if yes {
		return "met"
	}
	return "**missed**"
}

func (s spread) String() string {
	return fmt.Sprintf("%.2f / %.2f / %.2f", s.min.Seconds(), s.median.Seconds(), s.max.Seconds())
}

func (r *results) breakdown(p func(string, ...any)) {
	p("## What the deployment is made of\n")
	p("The longest chain is walked back from the step that ended last, over the steps that it had to wait for; its")
	p("parts add up to the whole. All nodes' steps are summed beside it.\n")
	p("| | longest chain, s | share | all nodes, s | bare: longest chain, s | share | all nodes, s |")
	p("|---|---|---|---|---|---|---|")
	for _, what := range purposes {
		p("| %s | %s | %s |", what, r.deployed.part(what), r.bare.part(what))
	}
	p("| all | %.1f | | | %.1f | | |\n", r.deployed.wall.Seconds(), r.bare.wall.Seconds())
}

// part is what a purpose took: of the longest chain, its share of it, and of all nodes.
func (d *deployment) part(what string) string {
	return fmt.Sprintf("%.1f | %.0f %% | %.1f", d.path[what].Seconds(), 100*d.path[what].Seconds()/d.wall.Seconds(), d.busy[what].Seconds())
}

func (r *results) writing(p func(string, ...any)) {
	p("## Writes through port 5433 meanwhile\n")
	p("Two clients write a row each 10 ms through the primary services of two nodes. Quiet windows are as long as the")
	p("second applies and show what the machine's own noise does.\n")
	p("| during | writes | failed | > 100 ms | longest, ms |")
	p("|---|---|---|---|---|")
	for _, w := range []struct {
		what string
		writes
	}{{"applies that add a user and a database", r.whileChanging}, {"second applies", r.whileAgain}, {"quiet windows", r.whileQuiet}} {
		p("| %s | %d | %d | %d | %.0f |", w.what, w.all, w.failed, w.delayed, float64(w.longest.Microseconds())/1000)
	}
	p("")
}

func (r *results) comparison(p func(string, ...any)) {
	if r.ansibleCheck == nil {
		return
	}
	a := r.playbook
	p("## The same state ensured by Ansible\n")
	p("%s, forks 4, pipelining, ControlPersist, no facts gathered, strategy free. The playbook is", r.ansibleVersion)
	p("generated from what pigsty compiles for these nodes: %d tasks for %d of its %d steps. It runs when", a.tasks, a.copied, r.deployed.steps)
	p("nothing is to be changed, and reported %d changes at most.\n", r.ansibleChanged)
	p("| | wall, s | CPU controller, s | CPU nodes, s | wall × | CPU × |")
	p("|---|---|---|---|---|---|")
	warm := spreadOf(r.warm, wall).median.Seconds()
	work := spreadOf(r.warm, r.all).median.Seconds()
	line := func(what string, costs []cost) {
		p("| %s | %s | %s | %s | %.0f | %.0f |", what, spreadOf(costs, wall), spreadOf(costs, here), spreadOf(costs, r.onNodes),
			spreadOf(costs, wall).median.Seconds()/warm, spreadOf(costs, r.all).median.Seconds()/work)
	}
	line("`pigsty plan`, warm", r.warm)
	line("`pigsty apply`, nothing to do, databases in use", r.again)
	line("`ansible-playbook --check`", r.ansibleCheck)
	line("`ansible-playbook`", r.ansibleFull)
	p("\nWhat the playbook leaves out, in Ansible's favour:\n")
	p("- steps without a counterpart: %s;", counts(a.leftOut))
	p("- what certificates are for and when they expire (only owner and mode are looked at), the trust store's bundle,")
	p("  running kernel settings, size of the reserve file, memberships, comments and settings of roles, access")
	p("  lists, schemas and extensions of databases;")
	p("- notified reloads and restarts, the order between nodes, and facts: what it knows was compiled beforehand.")
}

func counts(m map[string]int) string {
	var list []string
	for _, what := range slices.Sorted(maps.Keys(m)) {
		list = append(list, fmt.Sprintf("%s (%d)", what, m[what]))
	}
	return strings.Join(list, ", ")
}
