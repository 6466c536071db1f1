package main

import (
	"fmt"
	"io"
	"time"
)

// report prints the figures as tables in Markdown.
func report(w io.Writer, results []result) {
	fmt.Fprintln(w, "| nodes | steps | changes | phase | wall s | CPU s | CPU ms per node | peak MiB so far |")
	fmt.Fprintln(w, "|---:|---:|---:|---|---:|---:|---:|---:|")
	for _, r := range results {
		for _, p := range r.Phases {
			fmt.Fprintf(w, "| %d | %d | %d | %s | %.2f | %.2f | %.2f | %d |\n", r.Nodes, r.Steps, r.Changes,
				p.Name, p.Wall.Seconds(), p.CPU.Seconds(), perNode(p.CPU, r.Nodes), p.Peak>>20)
		}
	}
}

// perNode is a duration's share of one node, in milliseconds.
func perNode(d time.Duration, nodes int) float64 {
	return d.Seconds() * 1000 / float64(nodes)
}
