package view

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"pigsty/internal/drill"
	"pigsty/internal/resource/fault"
)

// Faults lists what a drill can do to a cluster.
func Faults(w io.Writer, faults []fault.Fault, color bool) {
	style := styleFor(color)
	fmt.Fprintln(w, "pigsty drill FAULT CLUSTER breaks a healthy cluster on purpose and measures how it recovers.")
	for _, f := range faults {
		lasts := ""
		if f.Lasts > 0 {
			lasts = fmt.Sprintf(", for %.0f s or more unless --for says otherwise", f.Lasts.Seconds())
		}
		fmt.Fprintf(w, "\n%s%s\n    %s%s.\n    Writers %s.\n", style.bold(f.Name), "", upperFirst(f.Title), lasts, f.Writers)
	}
}

func upperFirst(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// Drill shows the report of a drill.
func Drill(w io.Writer, r *drill.Report, color bool) {
	style := styleFor(color)
	fmt.Fprintf(w, "\n%s\n", style.bold(fmt.Sprintf("%s of %s", upperFirst(r.Fault), r.Cluster)))
	fmt.Fprintf(w, "%s. Replication is %s. %s.\n", upperFirst(r.Title), r.Replication, drillLeaders(r))
	drillPhases(w, r)
	drillWays(w, r, style)
	fmt.Fprintf(w, "\nWrites  %d acknowledged, %d failed, %d without an answer (%d of them were done); %s, %s\n",
		r.Ledger.Acknowledged, r.Ledger.Failed, r.Ledger.Unknown, r.Ledger.Late,
		badCount(style, len(r.Ledger.Lost), "lost"), badCount(style, len(r.Ledger.Doubled), "doubled"))
	if r.Promise != nil {
		fmt.Fprintf(w, "pg_rto  %s\n", drillPromise(r, style))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "Note    %s\n", printable(note))
	}
	fmt.Fprintln(w)
	for _, text := range r.Verdict.Says {
		fmt.Fprintln(w, printable(text))
	}
	fmt.Fprintln(w, drillVerdict(r, style))
}

func badCount(style style, n int, what string) string {
	text := fmt.Sprintf("%d %s", n, what)
	if n > 0 {
		return style.red(text)
	}
	return text
}

func drillLeaders(r *drill.Report) string {
	switch r.Successor {
	case "":
		return r.Leader + " led, and nobody leads now"
	case r.Leader:
		return r.Leader + " led, and leads"
	}
	return r.Leader + " led, and " + r.Successor + " leads now"
}

func drillPromise(r *drill.Report, style style) string {
	p := r.Promise
	name := p.RTO
	if name == "" {
		name = "(empty)"
	}
	text := fmt.Sprintf("%s promises writers a wait of %.0f to %.0f s; it was %.1f s", name, p.Best, p.Worst, r.Unavailable)
	if p.Within {
		return text
	}
	return style.red(text + ", more than promised")
}

// phaseMeaning says what has happened at the end of each phase.
var phaseMeaning = map[string]string{
	"detection":  "somebody notices",
	"election":   "a member has the leader's key",
	"start":      "PostgreSQL is started",
	"recovery":   "it takes writes again",
	"promotion":  "the new leader takes writes",
	"routing":    "a client is led to it",
	"everywhere": "every client is",
	"rejoin":     "the old leader follows",
}

func drillPhases(w io.Writer, r *drill.Report) {
	if len(r.Phases) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PHASE\tTOOK\tUNTIL\tWHAT\tSHOWN BY")
	for _, p := range r.Phases {
		says := []rune(printable(p.Says))
		if len(says) > 72 {
			says = append(says[:71], '…')
		}
		shown := string(says)
		if p.Member != "" {
			shown = p.Member + ": " + shown
		}
		fmt.Fprintf(t, "%s\t%.2f s\t%.2f s\t%s\t%s\n", p.Name, p.Took, p.At, phaseMeaning[p.Name], shown)
	}
	t.Flush()
}

func drillWays(w io.Writer, r *drill.Report, style style) {
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CLIENT\tDOES\tDONE\tFAILED\tNO ANSWER\tSTOPPED\tRESUMED\tLONGEST WAIT\tERRORS")
	for _, way := range r.Ways {
		stopped, resumed := "no", ""
		if way.Stopped != nil {
			stopped, resumed = fmt.Sprintf("%.1f s", *way.Stopped), "never"
		}
		if way.Resumed != nil {
			resumed = fmt.Sprintf("%.1f s", *way.Resumed)
		}
		does := way.Does
		if way.Pool {
			does += ", pool"
		}
		if way.Broken {
			does += ", cut off"
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\t%s\t%.2f s\t%s\n", way.Name, does, way.Acknowledged, way.Failed, way.Unknown,
			stopped, resumed, way.Longest, printable(mostFrequent(way.Errors)))
	}
	t.Flush()
}

// mostFrequent names the error that came most often, and how many others there were.
func mostFrequent(errors map[string]int) string {
	names := slices.SortedFunc(maps.Keys(errors), func(a, b string) int {
		if n := errors[b] - errors[a]; n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	if len(names) == 0 {
		return ""
	}
	text := []rune(names[0])
	if len(text) > 48 {
		text = append(text[:47], '…')
	}
	more := ""
	if len(names) > 1 {
		more = fmt.Sprintf(" and %d more", len(names)-1)
	}
	return fmt.Sprintf("%s (%d)%s", string(text), errors[names[0]], more)
}

func drillVerdict(r *drill.Report, style style) string {
	switch {
	case r.Verdict.Passed:
		return style.green("Passed.")
	case r.Verdict.Tolerated:
		return style.yellow("Writes were lost, as asynchronous replication allows: pg_conf crit.yml loses none.")
	}
	return style.red("Failed.")
}
