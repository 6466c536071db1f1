// Package fault holds the kinds of resources by which a drill breaks a cluster on purpose. Each
// refuses a cluster that is not healthy, says beforehand what it costs, and is in when its Apply
// returns. One that lasts ends by itself: its end is armed on the node as a timer of systemd
// before it begins, so that nothing stays broken when whoever began it dies or is cut off.
package fault

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Names of faults.
const (
	Switchover   = "switchover"
	KillPostgres = "kill-postgres"
	KillPatroni  = "kill-patroni"
	PowerCut     = "power-cut"
	Freeze       = "freeze"
	CutPeers     = "cut-peers"
	CutDCS       = "cut-dcs"
	EtcdLeader   = "etcd-leader"
	EtcdQuorum   = "etcd-quorum"
	FullDisk     = "full-disk"
)

// Fault is something that happens to clusters.
type Fault struct {
	Name  string
	Title string // what happens, in one line
	// Lasts is how long it goes on unless another time is asked for; 0 when it is over at once.
	Lasts time.Duration
	// Writers is what it means for those who write.
	Writers string
}

// Longest is for how long a fault may be asked for: what follows waits that long for its node.
const Longest = 30 * time.Minute

// All returns the faults, the gentle ones first.
func All() []Fault {
	return []Fault{
		{Switchover, "a replica takes over in order", 0, "wait until the replica is promoted"},
		{KillPostgres, "every process of PostgreSQL on the leader's node dies with the postmaster", 0, "wait until PostgreSQL has recovered, or a replica is promoted when that takes longer than primary_start_timeout"},
		{KillPatroni, "the leader's Patroni dies; systemd starts it again", 0, "go on"},
		{PowerCut, "the leader's machine loses its power, and boots again", 20 * time.Second, "wait until the leader's key expires and a replica is promoted"},
		{Freeze, "the leader's Patroni and PostgreSQL stand still, then go on where they were", 60 * time.Second, "wait until the leader's key expires and a replica is promoted"},
		{CutPeers, "the leader's node loses the other members and etcd, while clients still reach it", 60 * time.Second, "wait until the leader has given up and a replica is promoted; with asynchronous replication the old leader takes writes till then"},
		{CutDCS, "the leader's node loses etcd alone", 60 * time.Second, "go on while all members answer the leader (failsafe mode)"},
		{EtcdLeader, "the member that leads etcd dies, and stays away", 60 * time.Second, "go on; no leader of PostgreSQL can be replaced until etcd has elected"},
		{EtcdQuorum, "a majority of etcd's members dies, and stays away", 60 * time.Second, "go on while all members answer the leader (failsafe mode); no leader can be replaced"},
		{FullDisk, "the disk of the leader's data is full", 60 * time.Second, "get errors until a replica takes over or space is freed"},
	}
}

// Find returns the fault of that name; the error names those there are.
func Find(name string) (Fault, error) {
	all := All()
	n := slices.IndexFunc(all, func(f Fault) bool { return f.Name == name })
	if n >= 0 {
		return all[n], nil
	}
	var names []string
	for _, f := range all {
		names = append(names, f.Name)
	}
	return Fault{}, fmt.Errorf("fault %q is not known: choose from %s", name, strings.Join(names, ", "))
}

// Duration is how long the fault goes on when the given time is asked for, 0 for its own default.
func (f Fault) Duration(asked time.Duration) (time.Duration, error) {
	switch {
	case asked == 0:
		return f.Lasts, nil
	case f.Lasts == 0:
		return 0, fmt.Errorf("%s is over at once: it cannot last %s", f.Name, asked)
	case asked < time.Second || asked > Longest:
		return 0, fmt.Errorf("%s cannot last %s: a second to %s is possible", f.Name, asked, Longest)
	}
	return asked, nil
}
