package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"pigsty/internal/engine"
	"pigsty/internal/resource"
)

// Run shows an apply as it happens and sums it up. On a terminal a few status lines say what
// each busy node is doing; otherwise each change is one plain line.
type Run struct {
	w     io.Writer
	style style
	live  *live // nil when not on a terminal
	names map[string]string
	start time.Time

	mu       sync.Mutex
	changed  int
	nodes    map[string]bool
	failures []engine.Event
	skipped  []engine.Event
	notes    notes
}

// NewRun begins the view; names gives nodes' names for people by address.
func NewRun(w io.Writer, names map[string]string) *Run {
	r := &Run{w: w, style: styleFor(Color(w)), names: names, start: time.Now(), nodes: map[string]bool{}, notes: notes{}}
	if width, ok := Terminal(w); ok {
		r.live = newLive(w, width)
	}
	return r
}

// Event takes one event of the run.
func (r *Run) Event(e engine.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := nodeName(e.Node, r.names[e.Node])
	for _, text := range e.Notes {
		r.notes.add(text, name)
	}
	switch e.Status {
	case resource.Started:
		r.live.begin(name, fmt.Sprintf("%s %s %s", e.Change.Action.Symbol(), e.Kind, e.Name))
		return
	case resource.Changed:
		r.changed++
		r.nodes[e.Node] = true
		if r.live == nil {
			fmt.Fprintf(r.w, "%-14s %s %s %s  %s\n", name, e.Change.Action.Symbol(), e.Kind, e.Name, seconds(e.Took))
		}
	case resource.Failed:
		r.failures = append(r.failures, e)
		r.live.end(name)
		r.live.above(func() {
			fmt.Fprintf(r.w, "%-14s %s %s %s: %s\n", name, r.style.red("failed"), e.Kind, e.Name, indented(e.Error))
		})
	case resource.Skipped:
		r.skipped = append(r.skipped, e)
	}
	r.live.end(name)
}

// Done prints what became of the run and tells whether everything was carried out.
func (r *Run) Done() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live.stop()
	printNotes(r.w, r.notes, r.style)
	took := seconds(time.Since(r.start))
	if len(r.failures) == 0 && len(r.skipped) == 0 {
		fmt.Fprintln(r.w, r.style.green(fmt.Sprintf("Done: %s on %s in %s.", countOf(r.changed, "change", "changes"), countOf(len(r.nodes), "node", "nodes"), took)))
		return true
	}
	fmt.Fprintln(r.w, r.style.red(fmt.Sprintf("Not done: %d failed, %d skipped, %s made in %s.", len(r.failures), len(r.skipped), countOf(r.changed, "change", "changes"), took)))
	r.explain()
	return false
}

// explain repeats each failure with what it held up, so that nobody has to scroll.
func (r *Run) explain() {
	for _, f := range r.failures {
		fmt.Fprintf(r.w, "  %s  %s %s: %s\n", nodeName(f.Node, r.names[f.Node]), f.Kind, f.Name, indented(f.Error))
	}
	held := map[string]int{}
	for _, s := range r.skipped {
		held[fmt.Sprintf("%s: %s", nodeName(s.Node, r.names[s.Node]), indented(s.Error))]++
	}
	causes := make([]string, 0, len(held))
	for cause, n := range held {
		causes = append(causes, fmt.Sprintf("  skipped %s on %s", countOf(n, "step", "steps"), cause))
	}
	slices.Sort(causes)
	fmt.Fprintln(r.w, strings.Join(append(causes, "  What was done stays done: mend the cause and apply again."), "\n"))
}

func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}
