package resource

import "encoding/json"

// Step is a resource in its place: who wants it, where, and what it waits for.
//
// Steps of one node run in listing order. A step that fails stops the steps after it on its
// node, unless it stands on a named Branch: then only the rest of that branch is skipped.
type Step struct {
	Node     string // address of the node, the inventory's host key
	Module   string // module that listed it, such as "etcd"
	Branch   string // side chain whose failure leaves the trunk going; empty = trunk
	After    []Ref  // steps on other nodes that must be done first
	Notify   []Notification
	Resource Resource
	// With is a step that this one is nothing without: where a node does without that, this one is left
	// out as well. Zero = there is none.
	With Ref
	// About are the nodes that the step is for, where those are others: whatever is done on one of them
	// alone takes the step along, and a Node that cannot be reached holds nothing up.
	About []string
	// Aides are what the resource may call for on other nodes while it is applied, by node; they
	// stay with the controller until then.
	Aides map[string]Aide
	// Supplies are files of the controller's that the resource may read while it is applied, by the
	// names that it knows them by; they stay with the controller until then.
	Supplies map[string]Supply
}

// Ref points at a step: a node and a resource ID.
type Ref struct {
	Node string `json:"node"`
	ID   string `json:"id"`
}

// Ref is the address by which other steps name this one.
func (s *Step) Ref() Ref { return Ref{Node: s.Node, ID: ID(s.Resource)} }

// Notification asks a unit on the same node to take notice when the step changed something.
type Notification struct {
	Unit   string `json:"unit"`
	Action Notice `json:"action"`
}

// Notice is how a unit takes notice. A restart outweighs a reload asked for in the same run.
type Notice string

const (
	NoticeReload  Notice = "reload"
	NoticeRestart Notice = "restart"
)

// ReloadOf and RestartOf are the two notifications, for listing beside a resource.
func ReloadOf(unit string) Notification { return Notification{Unit: unit, Action: NoticeReload} }

// RestartOf asks for a restart of the unit; see ReloadOf.
func RestartOf(unit string) Notification { return Notification{Unit: unit, Action: NoticeRestart} }

// Barred says which branches of a node's listing cannot go on, and why: branch → cause.
type Barred map[string]string

// Bar closes the step's branch because of what became of it.
func (b Barred) Bar(s Step, cause string) { b[s.Branch] = cause }

// Cause is why a step on the given branch must not run; empty when it may. A barred trunk bars
// every branch.
func (b Barred) Cause(branch string) string {
	if cause := b[""]; cause != "" {
		return cause
	}
	return b[branch]
}

// FailedBefore is the cause that steps after a failed one are skipped for.
func FailedBefore(s Step) string { return ID(s.Resource) + " failed before it" }

type wireStep struct {
	Module   string          `json:"module"`
	Branch   string          `json:"branch,omitempty"`
	Notify   []Notification  `json:"notify,omitempty"`
	Kind     string          `json:"kind"`
	Resource json.RawMessage `json:"resource"`
}

// MarshalJSON writes what the node needs to know of a step: all but Node, After, About, Aides and
// Supplies.
func (s Step) MarshalJSON() ([]byte, error) {
	body, err := json.Marshal(s.Resource)
	if err != nil {
		return nil, err
	}
	return json.Marshal(wireStep{s.Module, s.Branch, s.Notify, s.Resource.Kind(), body})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Step) UnmarshalJSON(data []byte) error {
	var w wireStep
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	r, err := Decode(w.Kind, w.Resource)
	if err != nil {
		return err
	}
	*s = Step{Module: w.Module, Branch: w.Branch, Notify: w.Notify, Resource: r}
	return nil
}
