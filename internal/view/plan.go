// Package view shows plans and runs to people. Everything it prints derives from the plan's
// changes and the run's events; results go to standard output, narration to standard error.
package view

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"pigsty/internal/engine"
	"pigsty/internal/resource"
)

// PlanOptions choose how much of a plan is shown.
type PlanOptions struct {
	Color bool
	// Diff shows the content of files that are created, too; of changed ones it is always
	// shown.
	Diff bool
}

// Plan prints a plan node by node, then its sum.
func Plan(w io.Writer, p *engine.Plan, o PlanOptions) {
	style := styleFor(o.Color)
	for _, n := range p.Nodes {
		planNode(w, n, o, style)
	}
	printNotes(w, planNotes(p), style)
	fmt.Fprintln(w, summary(p, style))
}

func planNode(w io.Writer, n engine.NodePlan, o PlanOptions, style style) {
	if n.Error == "" && len(n.Changes) == 0 {
		return
	}
	fmt.Fprintln(w, style.bold(nodeLabel(n.Node, n.Name)))
	if n.Error != "" {
		fmt.Fprintf(w, "  %s %s\n", style.red("error:"), indented(n.Error))
	}
	for _, c := range n.Changes {
		planChange(w, c, o, style)
	}
	fmt.Fprintln(w)
}

func nodeLabel(addr, name string) string {
	if name == "" || name == addr {
		return addr
	}
	return name + "  " + addr
}

func planChange(w io.Writer, p engine.Pending, o PlanOptions, style style) {
	if p.Change == nil {
		fmt.Fprintf(w, "  %s %s %s: %s\n", style.red("x"), p.Kind, p.Name, indented(p.Error))
		return
	}
	c := p.Change
	fmt.Fprintf(w, "  %s %s %s%s\n", style.action(c.Action), p.Kind, p.Name, cost(c, style))
	for _, f := range c.Fields {
		fmt.Fprintf(w, "      %s: %s\n", f.Name, indented(transition(f)))
	}
	if c.Diff != "" && (c.Action != resource.Create || o.Diff) {
		printDiff(w, c.Diff, style)
	}
}

func transition(f resource.Field) string {
	switch {
	case f.Before == "":
		return f.After
	case f.After == "":
		return f.Before + " → (nothing)"
	}
	return f.Before + " → " + f.After
}

// cost is what a change costs users, in brackets; empty when nobody notices.
func cost(c *resource.Change, style style) string {
	if c.Impact == resource.NoImpact && c.Effect == "" {
		return ""
	}
	text := c.Effect
	if text == "" {
		text = c.Impact.String()
	}
	if c.Impact >= resource.Restart {
		return "  " + style.yellow("["+text+"]")
	}
	return "  [" + text + "]"
}

func printDiff(w io.Writer, diff string, style style) {
	// The two lines that name the file say what stands above already. Later ones that begin
	// alike are content: a comment in SQL that goes.
	header := strings.HasPrefix(diff, "--- ")
	for i, line := range strings.Split(strings.TrimSuffix(diff, "\n"), "\n") {
		line = printable(line)
		switch {
		case header && i < 2:
			continue
		case strings.HasPrefix(line, "+"):
			line = style.green(line)
		case strings.HasPrefix(line, "-"):
			line = style.red(line)
		}
		fmt.Fprintln(w, "      "+line)
	}
}

// planNotes gathers what nodes had to say, each text once with the nodes that said it.
func planNotes(p *engine.Plan) notes {
	all := notes{}
	for _, n := range p.Nodes {
		for _, text := range n.Notes {
			all.add(text, nodeName(n.Node, n.Name))
		}
	}
	return all
}

func nodeName(addr, name string) string {
	if name == "" {
		return addr
	}
	return name
}

// notes maps a text to the nodes that said it.
type notes map[string][]string

func (n notes) add(text, node string) {
	if !slices.Contains(n[text], node) {
		n[text] = append(n[text], node)
	}
}

// sorted is the map's keys in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func printNotes(w io.Writer, all notes, style style) {
	for _, text := range sorted(all) {
		nodes := all[text]
		slices.Sort(nodes)
		fmt.Fprintf(w, "%s %s (%s)\n", style.bold("note:"), indented(text), strings.Join(nodes, ", "))
	}
}

// summary is the plan in one line.
func summary(p *engine.Plan, style style) string {
	actions := map[resource.Action]int{}
	impacts := map[resource.Impact]int{}
	nodes, lost, unseen := 0, 0, 0
	for _, n := range p.Nodes {
		if n.Error != "" {
			lost++
		}
		if len(n.Changes) > 0 {
			nodes++
		}
		for _, c := range n.Changes {
			if c.Change != nil {
				actions[c.Change.Action]++
				impacts[c.Change.Impact]++
			}
			if c.Error != "" {
				unseen++
			}
		}
	}
	if p.Empty() {
		return style.green(fmt.Sprintf("Nothing to do: %s as the inventory wants.", countOf(len(p.Nodes), "node is", "nodes are")))
	}
	var parts []string
	for _, a := range []resource.Action{resource.Create, resource.Update, resource.Delete, resource.Run} {
		if actions[a] > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", actions[a], a))
		}
	}
	text := fmt.Sprintf("Plan: %s, on %s.", strings.Join(parts, ", "), countOf(nodes, "node", "nodes"))
	if len(parts) == 0 {
		text = "Plan: nothing to change where it could be seen."
	}
	if costs := costs(impacts); costs != "" {
		text += " Users notice: " + costs + "."
	}
	if unseen > 0 {
		text += " " + style.red(fmt.Sprintf("%s could not be looked at.", countOf(unseen, "step", "steps")))
	}
	if lost > 0 {
		text += " " + style.red(fmt.Sprintf("%s could not be reached.", countOf(lost, "node", "nodes")))
	}
	return style.bold(text)
}

func costs(impacts map[resource.Impact]int) string {
	var parts []string
	for i := resource.DataLoss; i >= resource.Reload; i-- {
		if impacts[i] > 0 {
			parts = append(parts, fmt.Sprintf("%d × %s", impacts[i], i))
		}
	}
	return strings.Join(parts, ", ")
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
