package election

// Report is the outcome of an election that would be held now.
type Report struct {
	Cluster string    `json:"cluster"`
	Leader  string    `json:"leader,omitempty"`
	Members []Verdict `json:"members"`
	// Winners would be promoted: one of them, whoever asks first, where there are several.
	Winners []string `json:"winners"`
	// Outcome, Loss, Soon and Store are sentences: who takes over and by what, what would be lost at
	// most, when, and what the leader does while the store is away.
	Outcome string `json:"outcome"`
	Loss    string `json:"loss,omitempty"`
	Soon    string `json:"soon,omitempty"`
	Store   string `json:"store"`
	// Best and Worst are how long writers wait after the leader's machine is lost, in seconds; 0
	// when nobody takes over.
	Best  float64 `json:"best,omitempty"`
	Worst float64 `json:"worst,omitempty"`
}

// What would become of a member.
const (
	Leads   = "leads"
	Wins    = "wins"    // it would be promoted, or one of several that have as much would
	Loses   = "loses"   // it may be promoted, and another one has more
	Refused = "refused" // it would not be promoted whatever the others do
	Unknown = "unknown" // it cannot be asked
)

// Verdict is what would become of one member, and why.
type Verdict struct {
	Instance string   `json:"instance"`
	Verdict  string   `json:"verdict"`
	Reasons  []Reason `json:"reasons,omitempty"`
	// Behind is how many bytes of the leader's WAL it lacks; nil when nobody knows.
	Behind *int64 `json:"behind,omitempty"`
}

// Reason is one rule of the race that speaks against a member.
type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Codes of reasons.
const (
	NodeLost       = "node lost"
	NotKnown       = "not known"
	Silent         = "patroni silent"
	NotRunning     = "not running"
	Paused         = "paused"
	NoMajority     = "no majority"
	NoFailover     = "nofailover"
	NotSynchronous = "not synchronous"
	NoVotes        = "no votes"
	TooFarBehind   = "too far behind"
	OldTimeline    = "old timeline"
	OtherAhead     = "other ahead"
	LowerPriority  = "lower priority"
)
