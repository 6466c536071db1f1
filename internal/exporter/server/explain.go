package server

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"pigsty/internal/exporter/collector"
)

// Explain writes, for each database, which collectors run in it and why others do not. It looks at
// the server first.
func (s *Server) Explain(ctx context.Context, to io.Writer) error {
	if err := s.Check(ctx); err != nil {
		return fmt.Errorf("the server at %s does not answer: %w", s.Address(), err)
	}
	for _, d := range s.sorted() {
		if !d.main {
			await(ctx, d.ask(false))
		}
	}
	for _, d := range s.sorted() {
		d.explain(to)
	}
	return nil
}

func (d *database) explain(to io.Writer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.facts
	role := "primary"
	if f.Recovery {
		role = "replica"
	}
	switch {
	case d.known.IsZero():
		fmt.Fprintf(to, "# database %s\n# no connection: %v\n\n", d.name, d.down)
		return
	case f.Pgbouncer:
		fmt.Fprintf(to, "# pgBouncer, version %d\n", f.Version)
	default:
		fmt.Fprintf(to, "# database %s, version %d, %s\n", d.name, f.Version, role)
	}
	var not []string
	for _, r := range d.plan.readings {
		if ok, why := r.Applies(f); !ok {
			not = append(not, fmt.Sprintf("# not %s: %s\n", r.Branch, why))
			continue
		}
		asked := *r.Collector
		asked.Query = r.SQL(f)
		fmt.Fprintln(to)
		Describe(to, &asked)
	}
	if len(not) > 0 {
		fmt.Fprintf(to, "\n%s", strings.Join(not, ""))
	}
	fmt.Fprintln(to)
}

// Describe writes what a collector asks and which metrics it gives.
func Describe(to io.Writer, c *collector.Collector) {
	fmt.Fprintln(to, strings.TrimSuffix(c.Branch+": "+c.Desc, ": "))
	fmt.Fprintf(to, "  %s\n", strings.Join(traits(c), ", "))
	for _, p := range c.Predicates {
		fmt.Fprintf(to, "  only if %s\n", p.Name)
	}
	for line := range strings.SplitSeq(c.Query, "\n") {
		fmt.Fprintf(to, "    %s\n", strings.TrimRight(line, " \t\r"))
	}
	var labels []string
	if everywhere(c) {
		labels = append(labels, "datname")
	}
	for _, col := range c.Labels() {
		labels = append(labels, col.Alias())
	}
	inBraces := ""
	if len(labels) > 0 {
		inBraces = "{" + strings.Join(labels, ",") + "}"
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, col := range c.Columns {
		if col.Usage != collector.Label && col.Usage != collector.Discard {
			text := fmt.Sprintf("  %s%s\t%s\t%s", c.Metric(col), inBraces, strings.ToLower(string(col.Usage)), col.Desc)
			fmt.Fprintln(w, strings.TrimSuffix(text, "\t"))
		}
	}
	w.Flush()
}

// traits says in words how a collector runs.
func traits(c *collector.Collector) []string {
	where := "in each database"
	if c.Cluster() {
		where = "once for the server"
	}
	out := []string{where}
	if c.TTL > 0 {
		out = append(out, "kept for "+c.TTL.String())
	}
	if c.Timeout > 0 {
		out = append(out, "timeout "+c.Timeout.String())
	}
	if c.MinVersion > 0 {
		out = append(out, fmt.Sprintf("from version %d", c.MinVersion))
	}
	if c.MaxVersion > 0 {
		out = append(out, fmt.Sprintf("before version %d", c.MaxVersion))
	}
	if len(c.Tags) > 0 {
		out = append(out, "tags "+strings.Join(c.Tags, " "))
	}
	if c.Top != nil {
		out = append(out, fmt.Sprintf("the top %d rows by %s", c.Top.Keep, strings.Join(c.Top.By, " and ")))
	}
	if c.Budget > 0 {
		out = append(out, fmt.Sprintf("at most %d series", c.Budget))
	}
	if c.Fatal {
		out = append(out, "the server counts as down when it fails")
	}
	if c.Skip {
		out = append(out, "skipped")
	}
	return out
}

// Stat writes how each collector has fared.
func (s *Server) Stat(to io.Writer) error {
	now := time.Now()
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "COLLECTOR\tDATABASE\tTTL\tAGE\tTOOK\tROWS\tSERIES\tRUNS\tERRORS\tSTATE")
	for _, d := range s.sorted() {
		d.stat(w, now)
	}
	return w.Flush()
}

func (d *database) stat(w io.Writer, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down != nil {
		fmt.Fprintf(w, "-\t%s\t-\t-\t-\t-\t-\t-\t-\tno connection: %v\n", d.name, d.down)
	}
	for _, r := range d.applies {
		res := d.results[r.Branch]
		if res == nil {
			fmt.Fprintf(w, "%s\t%s\t%s\t-\t-\t-\t-\t-\t-\tnot run yet\n", r.Branch, d.name, r.TTL)
			continue
		}
		age := "-"
		if res.table != nil {
			age = now.Sub(res.at).Round(time.Millisecond).String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", r.Branch, d.name, r.TTL, age,
			res.took.Round(time.Microsecond), res.rows, res.series, res.runs, res.errors, res.condition())
	}
}

// condition says how the last run went.
func (r *result) condition() string {
	switch {
	case r.err != nil:
		return r.err.Error()
	case r.skipped:
		return "skipped by a predicate"
	case len(r.missing) > 0:
		return "the query returns no " + strings.Join(r.missing, ", ")
	case r.over > 0:
		return fmt.Sprintf("%d rows too many", r.over)
	}
	return "ok"
}
