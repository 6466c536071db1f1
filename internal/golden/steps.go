package golden

import (
	"fmt"
	"strings"

	"pigsty/internal/resource"
)

// Steps writes steps for people to read: node by node in the order of first mention, each
// node's steps in listing order, with everything a step says. A secret shows as its length and
// a digest, so that the text changes with it and does not tell it; secret are the content of a
// Secret file, fields tagged `secret:"true"`, and whatever diag.SecretKey takes for one by its
// name.
func Steps(steps []resource.Step) string {
	var nodes []string
	byNode := map[string][]resource.Step{}
	for _, s := range steps {
		if _, known := byNode[s.Node]; !known {
			nodes = append(nodes, s.Node)
		}
		byNode[s.Node] = append(byNode[s.Node], s)
	}
	var b strings.Builder
	for i, node := range nodes {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "== %s\n", node)
		for _, s := range byNode[node] {
			writeStep(&b, s)
		}
	}
	return b.String()
}

func writeStep(b *strings.Builder, s resource.Step) {
	fmt.Fprintf(b, "%s  [%s", resource.ID(s.Resource), s.Module)
	if s.Branch != "" {
		fmt.Fprintf(b, ", branch %s", s.Branch)
	}
	b.WriteString("]\n")
	for _, after := range s.After {
		fmt.Fprintf(b, "  after %s on %s\n", after.ID, after.Node)
	}
	if s.With != (resource.Ref{}) {
		fmt.Fprintf(b, "  with %s on %s\n", s.With.ID, s.With.Node)
	}
	for _, n := range s.Notify {
		fmt.Fprintf(b, "  notify %s to %s\n", n.Unit, n.Action)
	}
	writeResource(b, s.Resource)
}
