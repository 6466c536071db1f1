package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"pigsty/internal/drill"
)

// results are everything that was measured.
type results struct {
	Command string    `json:"command"`
	Machine string    `json:"machine"`
	Began   time.Time `json:"began"`
	RTO     string    `json:"pg_rto"`
	Runs    []drilled `json:"runs"`
}

// drilled is one drill, in seconds.
type drilled struct {
	Replication string             `json:"replication"`
	Fault       string             `json:"fault"`
	Lasts       float64            `json:"lasts,omitempty"`
	Load        float64            `json:"load"`       // average of a minute, as it began
	Writes      float64            `json:"writes"`     // without an answer to the unluckiest writer
	FirstWrite  float64            `json:"luckiest"`   // … and to the luckiest
	Reads       float64            `json:"reads"`      // without an answer to the unluckiest reader
	HealthyAt   float64            `json:"healthy_at"` // after the fault; -1 = never
	Phases      map[string]float64 `json:"phases,omitempty"`
	Acked       int                `json:"acknowledged"`
	Lost        int                `json:"lost"`
	Doubled     int                `json:"doubled"`
	TwoWrote    float64            `json:"two_primaries_wrote"` // how long
	Passed      bool               `json:"passed"`
	Within      *bool              `json:"within_promise,omitempty"`
}

func summary(mode string, load float64, r drill.Report) drilled {
	d := drilled{
		Replication: mode, Fault: r.Fault, Lasts: r.Lasts, Load: load, Writes: r.Unavailable, FirstWrite: r.Unavailable, HealthyAt: -1,
		Phases: map[string]float64{}, Acked: r.Ledger.Acknowledged, Lost: len(r.Ledger.Lost),
		Doubled: len(r.Ledger.Doubled) + len(r.Ledger.Strange), Passed: r.Verdict.Passed,
	}
	if r.HealthyAt != nil {
		d.HealthyAt = *r.HealthyAt
	}
	for _, w := range r.Ways {
		if w.Broken {
			continue
		}
		if w.Does == "reads" {
			d.Reads = max(d.Reads, w.Longest)
		} else {
			d.FirstWrite = min(d.FirstWrite, w.Longest)
		}
	}
	for _, p := range r.Phases {
		d.Phases[p.Name] = p.Took
	}
	for _, o := range r.Primaries.Acknowledged {
		d.TwoWrote = max(d.TwoWrote, o.To-o.From)
	}
	if r.Promise != nil {
		d.Within = &r.Promise.Within
	}
	return d
}

// write puts the results into both files.
func (r *results) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(path+".json", append(text, '\n'), 0o644), os.WriteFile(path+".md", []byte(r.markdown()), 0o644))
}

// phases are the columns, in the order in which they happen.
var phases = []string{"detection", "election", "start", "promotion", "recovery", "routing", "everywhere", "rejoin"}

func (r *results) markdown() string {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# Drills\n")
	p("Written by `%s`, as root, from the top of the repository, from", r.Command)
	p("%s on. Machine: %s.\n", r.Began.Format("2006-01-02 15:04 MST"), r.Machine)
	p("Three containers of Debian 13 on that machine, each with etcd, PostgreSQL 17, Patroni, pgBouncer and HAProxy;")
	p("`pg_rto: %s`. They share its processors with the clients and with whatever else runs there, which the load", r.RTO)
	p("average tells. Seconds, min / median / max. **Writes** and **reads** are how long the unluckiest client was")
	p("without an answer, of all ways in but those through a machine that is cut off; **luckiest** is the same of the luckiest writer. What each fault does is in")
	p("[docs/faults.md](../../docs/faults.md), what the phases are in [docs/drill.md](../../docs/drill.md).")
	for _, mode := range r.modes() {
		p("\n## %s\n", strings.ToUpper(mode[:1])+mode[1:]+" replication")
		r.outcomes(p, mode)
		r.taken(p, mode)
	}
	return b.String()
}

func (r *results) modes() []string {
	var all []string
	for _, d := range r.Runs {
		if !slices.Contains(all, d.Replication) {
			all = append(all, d.Replication)
		}
	}
	return all
}

// of are the runs of a fault.
func (r *results) of(mode, fault string) []drilled {
	return slices.DeleteFunc(slices.Clone(r.Runs), func(d drilled) bool { return d.Replication != mode || d.Fault != fault })
}

func (r *results) faults(mode string) []string {
	var all []string
	for _, d := range r.Runs {
		if d.Replication == mode && !slices.Contains(all, d.Fault) {
			all = append(all, d.Fault)
		}
	}
	return all
}

func (r *results) outcomes(p func(string, ...any), mode string) {
	p("| fault | runs | passed | writes | luckiest | reads | healthy after | lost of acknowledged | doubled | two primaries wrote | load |")
	p("|---|---|---|---|---|---|---|---|---|---|---|")
	for _, fault := range r.faults(mode) {
		runs := r.of(mode, fault)
		passed, lost, acked, doubled, two := 0, 0, 0, 0, 0.0
		for _, d := range runs {
			if d.Passed {
				passed++
			}
			lost, acked, doubled, two = lost+d.Lost, acked+d.Acked, doubled+d.Doubled, max(two, d.TwoWrote)
		}
		wrote := "never"
		if two > 0 {
			wrote = fmt.Sprintf("up to %.2f s", two)
		}
		p("| %s | %d | %d | %s | %s | %s | %s | %d of %d | %d | %s | %s |", fault, len(runs), passed,
			spread(runs, func(d drilled) float64 { return d.Writes }), spread(runs, func(d drilled) float64 { return d.FirstWrite }),
			spread(runs, func(d drilled) float64 { return d.Reads }), spread(runs, func(d drilled) float64 { return d.HealthyAt }),
			lost, acked, doubled, wrote, spread(runs, func(d drilled) float64 { return d.Load }))
	}
}

func (r *results) taken(p func(string, ...any), mode string) {
	p("\n| fault | %s |", strings.Join(phases, " | "))
	p("|---%s|", strings.Repeat("|---", len(phases)))
	for _, fault := range r.faults(mode) {
		var cells []string
		any := false
		for _, phase := range phases {
			runs := slices.DeleteFunc(r.of(mode, fault), func(d drilled) bool { _, has := d.Phases[phase]; return !has })
			cell := spread(runs, func(d drilled) float64 { return d.Phases[phase] })
			any = any || cell != ""
			cells = append(cells, cell)
		}
		if any {
			p("| %s | %s |", fault, strings.Join(cells, " | "))
		}
	}
}

// spread is the least, the middle and the most of some values; nothing of none.
func spread(runs []drilled, value func(drilled) float64) string {
	if len(runs) == 0 {
		return ""
	}
	var all []float64
	for _, d := range runs {
		all = append(all, value(d))
	}
	slices.Sort(all)
	if len(all) == 1 {
		return fmt.Sprintf("%.1f", all[0])
	}
	return fmt.Sprintf("%.1f / %.1f / %.1f", all[0], all[len(all)/2], all[len(all)-1])
}
