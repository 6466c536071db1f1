package sandbox

import (
	"context"
	"slices"
	"time"
)

// State of a node.
type State string

// The states a node can be in, as seen from the host.
const (
	StateOff     State = "off"     // no process
	StateBooting State = "booting" // runs, SSH does not answer yet
	StateUp      State = "up"      // SSH answers
	StatePaused  State = "paused"
	StateCut     State = "cut" // runs with its cable pulled
)

// NodeStatus is one node at one moment.
type NodeStatus struct {
	Node
	State      State     `json:"state"`
	Supervised bool      `json:"supervised"`         // false with a running node: it will not come back from a reboot
	Boots      int       `json:"boots,omitempty"`    // since its last start, 1 when it was not rebooted
	Since      time.Time `json:"since,omitzero"`     // of the current boot
	CutFrom    []string  `json:"cut_from,omitempty"` // nodes it cannot talk to
}

// Status looks at every node. A node that does not answer costs up to a second.
func (s *Sandbox) Status(ctx context.Context) ([]NodeStatus, error) {
	all, err := s.machines(nil)
	if err != nil {
		return nil, err
	}
	rules, err := sandboxRules(ctx, "filter", s.cfg.Name)
	if err != nil {
		return nil, err
	}
	status := make([]NodeStatus, len(all))
	err = each(all, func(m *machine) error {
		st := NodeStatus{Node: m.Node, State: m.state(ctx), Supervised: m.superGroup().populated()}
		if st.State != StateOff {
			r := m.record()
			st.Boots, st.Since = r.Boots, r.Started
		}
		for _, other := range all {
			if slices.ContainsFunc(rules, func(words []string) bool {
				return m != other && slices.Contains(words, m.link()) && slices.Contains(words, other.link())
			}) {
				st.CutFrom = append(st.CutFrom, other.Name)
			}
		}
		status[slices.Index(all, m)] = st
		return nil
	})
	return status, err
}

func (m *machine) state(ctx context.Context) State {
	switch {
	case !m.nodeGroup().populated():
		return StateOff
	case m.nodeGroup().frozen():
		return StatePaused
	case linkExists(m.link()) && !linkIsUp(m.link()):
		return StateCut
	case m.greets(ctx, time.Second):
		return StateUp
	}
	return StateBooting
}
