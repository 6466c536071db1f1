package resource

import "time"

// Status is what became of a step.
type Status string

const (
	Started Status = "started" // about to be applied; an event only, never a final status
	InOrder Status = "ok"      // nothing to do
	Pending Status = "pending" // differs; a plan's answer
	Changed Status = "changed" // applied
	Failed  Status = "failed"  // could not be observed or applied
	Omitted Status = "omitted" // the node cannot have it, which a note says, and it is done without
	Skipped Status = "skipped" // something it depends on failed, or the run was stopped
)

// Outcome is the answer of a node for one step of a batch.
type Outcome struct {
	Index  int           `json:"index"` // place in the batch
	Status Status        `json:"status"`
	Change *Change       `json:"change,omitempty"`
	Error  string        `json:"error,omitempty"` // why it failed or was skipped
	Notes  []string      `json:"notes,omitempty"` // of a look: those of the whole batch, with its first outcome
	Took   time.Duration `json:"took,omitempty"`
}
