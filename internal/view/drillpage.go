package view

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"

	"pigsty/internal/drill"
)

//go:embed drillpage.html
var drillPageText string

var drillPage = template.Must(template.New("drill").Funcs(template.FuncMap{
	"upper":   upperFirst,
	"leaders": drillLeaders,
	"meaning": func(phase string) string { return phaseMeaning[phase] },
	"s":       func(v float64) string { return fmt.Sprintf("%.2f s", v) },
	"s1":      func(v float64) string { return fmt.Sprintf("%.1f s", v) },
	"deref":   func(v *float64) float64 { return *v },
	"frequent": func(errors map[string]int) string {
		return mostFrequent(errors)
	},
	"sub": func(a, b float64) float64 { return a - b },
}).Parse(drillPageText))

// DrillPage writes the report as one page of HTML that asks for nothing else.
func DrillPage(w io.Writer, r *drill.Report) error {
	return drillPage.Execute(w, newDrillChart(r))
}

// drillChart is a report with where things stand on its drawing. Places are in per cent of the
// time that is shown.
type drillChart struct {
	*drill.Report
	Outcome, Headline string
	Stops             []drillStop // writes, then reads
	Lasting           drillBar    // from the fault on, for as long as it lasts
	Ticks             []drillTick
	Marks             []drillTick // the end of each phase
	Waterfall         []drillBar
	Lanes             []drillLane // of members
	Clients           []drillClient
}

// drillStop is for how long clients of one kind had to do without.
type drillStop struct {
	What  string
	Worst float64 // seconds
	Best  float64
	None  bool // nobody noticed
}

type drillTick struct {
	Place float64
	Label string
}

type drillBar struct {
	From, Width  float64
	Late         bool // its label goes before it, as there is no room behind
	Class, Label string
	Title        string
}

type drillLane struct {
	Name string
	Bars []drillBar
}

// drillClient is a lane with how many tries ended when: three shapes, drawn in a box of a thousand
// by a hundred.
type drillClient struct {
	drill.Way
	Done, Failed, Unknown string
	Gaps                  []drillBar
}

func newDrillChart(r *drill.Report) *drillChart {
	c := &drillChart{Report: r, Outcome: "failed", Headline: "Failed"}
	switch {
	case r.Verdict.Passed:
		c.Outcome, c.Headline = "passed", "Passed"
	case r.Verdict.Tolerated:
		c.Outcome, c.Headline = "tolerated", "Writes lost"
	}
	c.Stops = []drillStop{stopOf(r, "writes"), stopOf(r, "reads")}
	c.Lasting = c.bar(0, max(r.Lasts, 0), "fault", "")
	step := tickStep(r.To - r.From)
	for t := int(math.Ceil(r.From / step)); float64(t)*step <= r.To; t++ {
		c.Ticks = append(c.Ticks, drillTick{c.place(float64(t) * step), fmt.Sprintf("%g s", float64(t)*step)})
	}
	for _, p := range r.Phases {
		b := c.bar(p.At-p.Took, p.At, "phase", fmt.Sprintf("%.2f s", p.Took))
		b.Title = p.Name
		c.Waterfall = append(c.Waterfall, b)
		c.Marks = append(c.Marks, drillTick{c.place(p.At), p.Name})
	}
	for _, m := range r.Members {
		lane := drillLane{Name: m.Name}
		for _, s := range m.Spans {
			label := s.Condition
			if s.Timeline > 0 {
				label += fmt.Sprintf(" · timeline %d", s.Timeline)
			}
			lane.Bars = append(lane.Bars, c.bar(s.From, s.To, s.Condition, label))
		}
		c.Lanes = append(c.Lanes, lane)
	}
	for _, w := range r.Ways {
		c.Clients = append(c.Clients, c.client(w))
	}
	return c
}

// stopOf is the longest and the shortest wait of those who write or read.
func stopOf(r *drill.Report, does string) drillStop {
	s := drillStop{What: does, Best: math.Inf(1), None: true}
	for _, w := range r.Ways {
		if w.Does == does && !w.Broken {
			s.Worst, s.Best = max(s.Worst, w.Longest), min(s.Best, w.Longest)
			s.None = s.None && w.Stopped == nil
		}
	}
	return s
}

func (c *drillChart) place(t float64) float64 {
	return math.Round(10000*(t-c.From)/(c.To-c.From)) / 100
}

func (c *drillChart) bar(from, to float64, class, label string) drillBar {
	from, to = max(from, c.From), min(to, c.To)
	at := c.place(from)
	return drillBar{From: at, Width: max(c.place(to)-at, 0.15), Late: c.place(to) > 88, Class: class, Label: label, Title: fmt.Sprintf("%s: %.2f s to %.2f s", label, from, to)}
}

// tickStep is a round number of seconds of which about eight fit.
func tickStep(span float64) float64 {
	for _, step := range []float64{1, 2, 5, 10, 20, 30, 60, 120} {
		if span/step <= 8 {
			return step
		}
	}
	return 300
}

func (c *drillChart) client(w drill.Way) drillClient {
	d := drillClient{Way: w}
	most := 1
	for _, n := range w.Counts {
		most = max(most, n.Acknowledged)
	}
	var done, failed, unknown strings.Builder
	for i, n := range w.Counts {
		x := 1000 * float64(i) * drill.CountStep / (c.To - c.From)
		width := 1000 * drill.CountStep / (c.To - c.From)
		column(&done, x, width, float64(n.Acknowledged)/float64(most))
		if n.Failed > 0 {
			column(&failed, x, width, min(1, 0.3+float64(n.Failed)/float64(most)))
		}
		if n.Unknown > 0 {
			column(&unknown, x, width, min(1, 0.3+float64(n.Unknown)/float64(most)))
		}
	}
	d.Done, d.Failed, d.Unknown = done.String(), failed.String(), unknown.String()
	for _, g := range w.Gaps {
		d.Gaps = append(d.Gaps, c.bar(g.From, g.To, "gap", fmt.Sprintf("%.1f s", g.To-g.From)))
	}
	return d
}

// column adds an upright bar to the path of a shape.
func column(path *strings.Builder, x, width, height float64) {
	if height > 0 {
		fmt.Fprintf(path, "M%.1f 100h%.2fv-%.0fh-%.2fz", x, width*0.86, 100*height, width*0.86)
	}
}
