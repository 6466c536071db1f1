package model

import (
	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
)

// AccessLine is a line of pg_hba.conf, or of pgBouncer's file of the same form.
type AccessLine struct {
	Text string
	// Origin is the parameter that it comes from with the rule's title, or what pigsty has it for.
	Origin string
	// Pos is where the inventory says so; the zero Pos of a default and of pigsty's own.
	Pos diag.Pos
}

// RulePos is where a parameter of the cluster lists a rule, or the item of that rule's lines when
// there is one; a negative item means the rule.
func (c *PgCluster) RulePos(variable string, rule, item int) diag.Pos {
	value, given := c.Primary().Node.Vars[variable]
	if !given || value.Node == nil || value.Node.Kind != yaml.SequenceNode || rule >= len(value.Node.Content) {
		return value.Pos
	}
	entry := value.Node.Content[rule]
	if lines := field(entry, "rules"); item >= 0 && lines != nil && lines.Kind == yaml.SequenceNode && item < len(lines.Content) {
		return value.NodePos(lines.Content[item])
	}
	return value.NodePos(entry)
}
