// Package election says who would be promoted if a cluster's leader were lost now, and why the
// others would not: the rules of Patroni's leader race, over what members and the store say. It
// asks nobody itself.
package election

import "time"

// Modes of replication, as in pg_sync_mode.
const (
	Async  = "async"
	Sync   = "sync"
	Quorum = "quorum"
)

// Facts are what the outcome of an election follows from.
type Facts struct {
	Cluster string
	Leader  string // the member that leads; empty when none does
	// Position is how much WAL the leader has, in bytes; 0 when nobody knows.
	Position int64
	Timeline int  // the leader's, or the highest that is known
	Standby  bool // the cluster follows another one
	Paused   bool

	Mode  string // Async, Sync or Quorum
	Count int    // how many replicas confirm a write, at most
	// MaximumLag is how many bytes a replica may lack and still be promoted.
	MaximumLag    int64
	CheckTimeline bool // a member on an older timeline is not promoted
	Failsafe      bool // the leader stays without the store while all members answer it

	// Best and Worst are how long writers wait when the leader's machine is lost; StartTimeout how
	// long a leader whose PostgreSQL crashed has to come back first.
	Best, Worst, StartTimeout time.Duration

	Store   Store
	Members []Member
}

// Store is the DCS.
type Store struct {
	Members int // 0 when nobody could be asked
	Healthy int // those that see a leader of theirs and can commit
}

// majority tells whether the store can decide anything.
func (s Store) majority() bool { return s.Members == 0 || 2*s.Healthy > s.Members }

// Member is an instance that the inventory wants.
type Member struct {
	Name string
	// Lost is why its node cannot be asked; empty when it can.
	Lost string
	// Known is true of a member that the store lists; Answers of one whose Patroni answers.
	Known, Answers bool
	State          string // running, streaming, starting, creating replica …
	Timeline       int
	Position       int64 // bytes of WAL that it has
	Confirms       bool  // it is one of those that confirm writes, or that vote in a quorum
	NoFailover     bool
	Delay          string // pg_delay, where it has one
	Priority       int    // failover_priority; 1 unless set
}

// runs tells whether PostgreSQL is up, as far as a race is concerned.
func (m Member) runs() bool {
	switch m.State {
	case "running", "streaming", "in archive recovery", "not streaming":
		return true
	}
	return false
}
