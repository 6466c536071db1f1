// Package drill breaks one thing of a cluster on purpose while clients use it, waits until
// everything is healthy again, and tells what that cost: how long writes and reads stopped, what each
// phase of the recovery took, what was lost, and whether two members ever took writes at once.
package drill

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pigsty/internal/controller"
	"pigsty/internal/model"
	"pigsty/internal/resource/fault"
)

// Options say what is drilled, and how.
type Options struct {
	Fault string        // its name
	Title string        // what it is, in a few words
	Lasts time.Duration // how long it lasts; 0 when it has no length
	// User and Database are those that clients of the pool use; empty = the first that fit.
	User, Database string
	// Command is the command line that the report names.
	Command string
	// Progress is told what happens, a line at a time.
	Progress func(string)
}

// Drill is one drill of a cluster. Make it with New, look at it with Check, carry it out with Run.
type Drill struct {
	o       Options
	site    *controller.Site
	c       *model.PgCluster
	monitor *controller.Monitor
	logins  logins
	ways    []way
}

const (
	steady = 3 * time.Second // how long everything is watched before the fault
	settle = 5 * time.Second // how long everything has to be healthy before the drill ends
	// grace is how long a cluster may take to be whole again beyond the fault's own time and what
	// pg_rto promises at worst: a replica that copies its data anew takes a while.
	grace = 3 * time.Minute
)

// New prepares a drill of the cluster of that name.
func New(site *controller.Site, cluster string, dial controller.Dialer, o Options) (*Drill, error) {
	c := site.Deployment.Cluster(cluster)
	if c == nil {
		return nil, fmt.Errorf("the inventory has no cluster %s", cluster)
	}
	monitor, err := site.Monitor(cluster, dial)
	if err != nil {
		return nil, err
	}
	d := &Drill{o: o, site: site, c: c, monitor: monitor}
	if d.logins, err = chooseLogins(c, []byte(site.Authority.CertPEM()), o.User, o.Database); err != nil {
		return nil, err
	}
	d.ways = waysInto(c, d.logins)
	if len(d.ways) == 0 {
		return nil, fmt.Errorf("no service of cluster %s leads to its leader: see docs/services.md", c.Name)
	}
	return d, nil
}

// outlasting are the faults that tell nothing of a takeover when they end before the leader's key
// does.
var outlasting = []string{fault.PowerCut, fault.Freeze, fault.CutPeers}

// Lasting is how long a fault lasts of which nobody has said: its own time, and longer than a leader's
// key lasts where that is the point.
func Lasting(c *model.PgCluster, f fault.Fault) time.Duration {
	if !slices.Contains(outlasting, f.Name) {
		return f.Lasts
	}
	return max(f.Lasts, time.Duration(c.Timing().TTL)*time.Second+10*time.Second)
}

// Choices are what was chosen for the clients, one sentence each.
func (d *Drill) Choices() []string { return d.logins.said }

// Watch asks the nodes how they are until ctx ends. It has to run before Check and during Run.
func (d *Drill) Watch(ctx context.Context) { d.monitor.Run(ctx) }

// Check refuses a cluster that is not healthy: a drill tells nothing of one, and may be one fault
// too many for it.
func (d *Drill) Check(ctx context.Context) error {
	since := time.Now()
	for {
		if status := d.monitor.Status(since); status != nil {
			return d.refusal(status)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (d *Drill) refusal(status *controller.Status) error {
	if len(d.c.Instances) < 2 {
		return fmt.Errorf("cluster %s has one member: nobody could take over", d.c.Name)
	}
	if status.Clusters[0].Paused {
		return fmt.Errorf("cluster %s is paused: no replica takes over by itself; pigsty pg resume %s first", d.c.Name, d.c.Name)
	}
	if complaint := d.complaint(status); complaint != "" {
		return fmt.Errorf("cluster %s is not healthy: %s; see pigsty status, and drill when it is", d.c.Name, complaint)
	}
	return nil
}

func (d *Drill) say(format string, args ...any) {
	if d.o.Progress != nil {
		d.o.Progress(fmt.Sprintf(format, args...))
	}
}
