package model

import (
	"fmt"
	"time"
)

// Timing is how soon a cluster replaces a leader that is lost, and how soon clients are led to the
// new one. Shorter times move the leader for shorter troubles, too.
type Timing struct {
	// Patroni's, in seconds: how long the leader's key lasts without being renewed, how often it
	// is renewed, and for how long a question to etcd or PostgreSQL is repeated.
	TTL, LoopWait, RetryTimeout int
	// StartTimeout is how long a crashed primary may take to come back before a replica takes over.
	// 0 = what the tuning template says.
	StartTimeout int
	// FeedRetry is how soon a replica that lost who feeds it asks again: PostgreSQL's
	// wal_retrieve_retry_interval. A cluster whose writes a replica confirms waits for it when its
	// primary restarts. 0 = PostgreSQL's own 5 s.
	FeedRetry time.Duration

	// HAProxy's: between checks of a server that is up, that is about to change, and that is down;
	// and how many checks in a row bring it up or down.
	Inter, FastInter, DownInter time.Duration
	Rise, Fall                  int
}

// timings are pg_rto's. The names, and Patroni's times, are those of later versions of Pigsty;
// Patroni refuses a ttl below 20, and wants it to be at least loop_wait + 2 × retry_timeout. Of fast
// loop_wait is 3 instead of 5, as a crash of PostgreSQL is noticed only by the next loop. The empty
// name is v1.5.
var timings = map[string]Timing{
	"":     {30, 10, 10, 0, 0, 3 * time.Second, time.Second, 5 * time.Second, 3, 3},
	"fast": {20, 3, 5, 15, time.Second, time.Second, 500 * time.Millisecond, 500 * time.Millisecond, 1, 3},
	"norm": {30, 5, 10, 25, 2 * time.Second, 2 * time.Second, time.Second, 2 * time.Second, 2, 3},
	"safe": {60, 10, 20, 45, 0, 3 * time.Second, 1500 * time.Millisecond, 3 * time.Second, 3, 3},
	"wide": {120, 20, 30, 95, 0, 4 * time.Second, 2 * time.Second, 4 * time.Second, 3, 3},
}

// Timing follows from pg_rto.
func (c *PgCluster) Timing() Timing {
	t := timings[c.Param.PgRto]
	if t.StartTimeout == 0 {
		t.StartTimeout = c.Failover().StartTimeout
	}
	return t
}

const (
	// promotion is what a replica takes from winning to taking writes, at least.
	promotion = time.Second
	// election is how much longer it takes when members that are lost have to be asked first:
	// Patroni waits two seconds for each answer, of all at once.
	election = 2 * time.Second
	// storeElection is how much later a key expires when etcd's leader was on the lost machine: one
	// to two seconds until another is elected, which gives every key its full time again and one
	// election timeout, a second, on top; it looks for expired ones every half second.
	storeElection = 3500 * time.Millisecond
)

// Outage is how long writers wait at best and at worst when the leader's machine loses its power:
// until the leader's key expires, which was renewed up to a loop before, or is given its time again
// by a new leader of etcd; until a replica has won and
// is promoted; and until HAProxy has seen it lead often enough. Replay of what a replica had not
// replayed yet comes on top.
func (t Timing) Outage() (best, worst time.Duration) {
	seen := time.Duration(t.Rise-1) * t.FastInter
	best = time.Duration(t.TTL-t.LoopWait)*time.Second + promotion + seen
	worst = time.Duration(t.TTL)*time.Second + storeElection + election + promotion + t.DownInter + seen
	return best, worst
}

// Describe tells Outage in a few words.
func (t Timing) Describe() string {
	best, worst := t.Outage()
	return fmt.Sprintf("a lost leader is replaced in %.0f to %.0f s", best.Seconds(), worst.Seconds())
}

// ServerOptions are HAProxy's options of a server line for these times: v1.5's, but for the checks.
func (t Timing) ServerOptions() string {
	return fmt.Sprintf("inter %s fastinter %s downinter %s rise %d fall %d on-marked-down shutdown-sessions slowstart 30s maxconn 3000 maxqueue 128 weight 100",
		haproxyTime(t.Inter), haproxyTime(t.FastInter), haproxyTime(t.DownInter), t.Rise, t.Fall)
}

// haproxyTime writes whole seconds as such, and anything else in milliseconds.
func haproxyTime(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}
