package drill

import (
	"time"
)

// Report is what a drill found. Times are seconds from the fault on; what was before it is
// negative.
type Report struct {
	Cluster string    `json:"cluster"`
	Fault   string    `json:"fault"`
	Title   string    `json:"title"`
	Command string    `json:"command,omitempty"`
	At      time.Time `json:"at"`              // of the fault
	Lasts   float64   `json:"lasts,omitempty"` // for how long the fault was asked to last
	From    float64   `json:"from"`            // when watching began
	To      float64   `json:"to"`              // when it ended
	// Replication is synchronous or asynchronous.
	Replication string `json:"replication"`
	Leader      string `json:"leader"`                 // before
	Successor   string `json:"leader_after,omitempty"` // at the end; empty = nobody
	// Unavailable is the longest time in which some client had no write acknowledged, of those who
	// do not come in through the machine that the fault cuts off.
	Unavailable float64  `json:"unavailable"`
	Promise     *Promise `json:"promise,omitempty"`

	Phases    []Phase       `json:"phases"`
	Ways      []Way         `json:"ways"`
	Members   []Member      `json:"members"`
	Ledger    Ledger        `json:"ledger"`
	Primaries Primaries     `json:"primaries"`
	Disturbed []Disturbance `json:"disturbed,omitempty"`

	Healthy   bool     `json:"healthy"`              // at the end, without hands
	HealthyAt *float64 `json:"healthy_at,omitempty"` // since when
	Complaint string   `json:"complaint,omitempty"`  // why not
	Notes     []string `json:"notes,omitempty"`
	Verdict   Verdict  `json:"verdict"`
}

// Promise is what pg_rto says of how long writers wait.
type Promise struct {
	RTO    string  `json:"pg_rto"` // its value; empty = v1.5's times
	Best   float64 `json:"best"`   // seconds
	Worst  float64 `json:"worst"`
	Within bool    `json:"within"` // the run took no longer than the worst
}

// Phase is a part of the way back.
type Phase struct {
	Name   string  `json:"name"`
	At     float64 `json:"at"`   // when it ended
	Took   float64 `json:"took"` // since the phase before, or the fault
	Member string  `json:"member,omitempty"`
	Says   string  `json:"says,omitempty"` // what shows that it ended, such as a line of a log
}

// Way is one way into the cluster, and how it went for its client.
type Way struct {
	Name    string `json:"name"`
	Service string `json:"service"`
	Port    int    `json:"port"`
	Through string `json:"through"` // a member's balancer, or the virtual address
	Host    string `json:"host"`
	User    string `json:"user"`
	Pool    bool   `json:"pool"`
	Does    string `json:"does"` // writes or reads
	// Broken means that it leads through the machine that the fault cuts off: nobody gets in there
	// before that ends.
	Broken       bool `json:"broken,omitempty"`
	Acknowledged int  `json:"acknowledged"`
	Failed       int  `json:"failed"`
	Unknown      int  `json:"unknown"`
	// Longest is the longest time without an answer since the fault. Where it is noticeable, Stopped
	// is the last answer before and Resumed the first one after it.
	Longest float64        `json:"longest"`
	Stopped *float64       `json:"stopped,omitempty"`
	Resumed *float64       `json:"resumed,omitempty"`
	Gaps    []Span         `json:"gaps,omitempty"` // all noticeable ones
	Errors  map[string]int `json:"errors,omitempty"`
	// Counts are the tries by when they ended, from the report's From on, each of CountStep.
	Counts []Count `json:"-"`
}

// CountStep is the time that a Count is of, in seconds.
const CountStep = 0.25

// Count is how many tries ended in a part of the time.
type Count struct{ Acknowledged, Failed, Unknown int }

// Member is one instance, and what its PostgreSQL said of itself.
type Member struct {
	Name       string  `json:"name"`
	Spans      []State `json:"spans"`
	ClockAhead float64 `json:"clock_ahead"` // of the controller's, taken off its log's times
}

// Span is a part of the time.
type Span struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// State is a member's condition for a time: primary, replica or down.
type State struct {
	Span
	Condition string `json:"condition"`
	Timeline  uint32 `json:"timeline,omitempty"`
}

// Disturbance is a time in which something was not healthy.
type Disturbance struct {
	Span
	What string `json:"what"`
}

// Ledger is what became of the numbered rows.
type Ledger struct {
	Acknowledged int     `json:"acknowledged"`
	Failed       int     `json:"failed"`  // certainly not done, as the client was told
	Unknown      int     `json:"unknown"` // the client was told nothing
	Late         int     `json:"late"`    // of the unknown, that are there
	Lost         []int64 `json:"lost"`
	Doubled      []int64 `json:"doubled"`
	Strange      []int64 `json:"strange"` // there, and written by nobody
	// LostBytes is how much of the old leader's log the lost writes span; MaximumLag is how much an
	// asynchronous replica may lack and still be promoted.
	LostBytes  int64 `json:"lost_bytes,omitempty"`
	MaximumLag int64 `json:"maximum_lag_on_failover,omitempty"`
	// Compared is false when nobody could be asked for the rows.
	Compared bool `json:"compared"`
}

// Primaries are the times in which two members were primary at once.
type Primaries struct {
	// Together are those in which two said that they are no replica, asked each tenth of a second.
	Together []Overlap `json:"together"`
	// Acknowledged are those in which both acknowledged writes.
	Acknowledged []Overlap `json:"acknowledged"`
}

// Overlap is a time in which two members were primary.
type Overlap struct {
	Span
	Old    string `json:"old"`
	New    string `json:"new"`
	Writes int    `json:"writes"` // of clients, that the old one acknowledged in it
}

// Verdict is what the drill comes to.
type Verdict struct {
	// Passed means that nothing acknowledged was lost, nothing is there twice, no two members
	// acknowledged writes at once, and everything was healthy again without hands.
	Passed bool `json:"passed"`
	// Tolerated means that writes were lost, and no more than asynchronous replication may lose.
	Tolerated bool     `json:"tolerated,omitempty"`
	Says      []string `json:"says"`
}
