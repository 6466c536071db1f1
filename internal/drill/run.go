package drill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pigsty/internal/ledger"
	"pigsty/internal/resource/fault"
)

// Fault is how the drill breaks the cluster.
type Fault interface {
	// Begin returns when the fault is in, with when that happened.
	Begin(ctx context.Context) (time.Time, error)
	// EndsItself tells whether the fault is over after its time, whatever becomes of this program.
	EndsItself() bool
	// End ends the fault. It is called after its time unless it ends itself, and at once when the
	// drill is given up.
	End(ctx context.Context) error
}

// Run carries the drill out and reports what it found. When ctx ends before it does, the fault is
// ended, the clients' table is removed, and the error is that of ctx. A report beside an error is
// of a drill that ended early or could not clean up.
func (d *Drill) Run(ctx context.Context, f Fault) (*Report, error) {
	if err := d.makeTables(ctx); err != nil {
		return nil, err
	}
	report, err := d.run(ctx, f)
	return report, errors.Join(err, d.dropTables(context.WithoutCancel(ctx)))
}

func (d *Drill) run(ctx context.Context, f Fault) (*Report, error) {
	e := &evidence{began: time.Now()}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	watchers, group := d.watch(watching)
	clients := make([]ledger.Client, len(d.ways))
	for i, w := range d.ways {
		clients[i] = w.client(d.logins.database)
	}
	book := ledger.Start(clients, ledger.Options{Table: rows})
	defer book.Stop()
	if err := d.calm(ctx, book); err != nil {
		return nil, err
	}
	e.leader = leading(watchers)
	e.broken = d.broken(e.leader)
	began, err := f.Begin(ctx)
	if err != nil {
		return nil, errors.Join(err, d.giveUp(ctx, f))
	}
	e.fault = began
	d.say("%s: %s", d.o.Fault, d.o.Title)
	recovery := &recovery{d: d, e: e, book: book, watchers: watchers}
	err = recovery.wait(ctx, f)
	book.Stop()
	e.ended = time.Now()
	stop()
	group.Wait()
	e.tracks, e.watchers, e.successor = book.Tracks(), watchers, leading(watchers)
	report := d.report(context.WithoutCancel(ctx), e, book)
	recovery.settle(report)
	report.Judge()
	return report, err
}

// settle says in the report whether and since when everything is healthy: the nodes as the monitor
// sees them, which asks them once a second, and every way in.
func (r *recovery) settle(report *Report) {
	report.Healthy, report.Complaint = r.healthy, r.complaint
	at := 0.0 // nothing was disturbed
	if len(r.e.disturbed) > 0 {
		at = seconds(r.since.Sub(r.e.fault))
	}
	for _, w := range report.Ways {
		switch {
		case w.Resumed != nil:
			at = max(at, *w.Resumed)
		case w.Stopped != nil && r.healthy:
			report.Healthy, report.Complaint = false, "no client gets through by "+w.Name
		}
	}
	if report.Healthy {
		report.HealthyAt = &at
	}
}

// broken are the ways through the leader's node, for a fault that cuts that off.
func (d *Drill) broken(leader string) map[string]bool {
	names := map[string]bool{}
	if d.o.Fault != fault.PowerCut && d.o.Fault != fault.CutPeers {
		return names
	}
	for _, w := range d.ways {
		names[w.name()] = w.through == leader
	}
	return names
}

// calm watches for a while how things are before anything is broken.
func (d *Drill) calm(ctx context.Context, book *ledger.Ledger) error {
	d.say("%d clients write and read", len(d.ways))
	begun := time.Now()
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := book.Wait(limited, begun); err != nil {
		return fmt.Errorf("nothing was broken, because not every way into cluster %s works: %w", d.c.Name, err)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(steady):
		return nil
	}
}

// giveUp ends a fault before its time.
func (d *Drill) giveUp(ctx context.Context, f Fault) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return f.End(ctx)
}

// leading is the member that takes writes; the one on the newest timeline when there are several.
func leading(watchers []*watcher) string {
	name, timeline := "", uint32(0)
	for _, w := range watchers {
		if s := w.last(); s.condition == primary && s.timeline > timeline {
			name, timeline = w.instance.Name, s.timeline
		}
	}
	return name
}

// report asks for the rows and the logs, and concludes.
func (d *Drill) report(ctx context.Context, e *evidence, book *ledger.Ledger) *Report {
	var problems []string
	e.logs, problems = d.logs(ctx, e.watchers, e.began)
	account, err := d.compare(ctx, book)
	if err != nil {
		problems = append(problems, fmt.Sprintf("The rows cannot be compared: %v", err))
	}
	r := d.conclude(e, account, err == nil)
	r.Notes = append(r.Notes, problems...)
	return r
}

func (d *Drill) compare(ctx context.Context, book *ledger.Ledger) (ledger.Account, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := d.atLeader(ctx)
	if err != nil {
		return ledger.Account{}, err
	}
	defer closeConn(conn)
	return book.Compare(ctx, conn)
}

// recovery waits until everything is healthy again.
type recovery struct {
	d        *Drill
	e        *evidence
	book     *ledger.Ledger
	watchers []*watcher

	since     time.Time // of when everything is healthy
	healthy   bool
	complaint string
}

// wait returns when everything has been healthy for some time after the fault's own, when that
// takes too long, or when ctx ends.
func (r *recovery) wait(ctx context.Context, f Fault) error {
	o := r.d.o
	_, worst := r.d.c.Timing().Outage()
	over := r.e.fault.Add(o.Lasts)
	limit := over.Add(worst + grace)
	ended := f.EndsItself()
	for {
		select {
		case <-ctx.Done():
			r.d.say("given up: the fault is ended")
			return errors.Join(ctx.Err(), r.d.giveUp(ctx, f))
		case <-time.After(100 * time.Millisecond):
		}
		now := time.Now()
		if !ended && now.After(over) {
			if err := f.End(ctx); err != nil {
				return err
			}
			ended = true
		}
		r.observe(now)
		if r.healthy && now.After(later(over, r.since).Add(settle)) && r.served() {
			return nil
		}
		if now.After(limit) {
			return nil
		}
	}
}

// observe notes how things are.
func (r *recovery) observe(now time.Time) {
	status := r.d.monitor.Status(r.e.fault)
	if status == nil {
		return
	}
	complaint := r.d.complaint(status)
	if complaint == r.complaint && (complaint != "" || r.healthy) {
		return
	}
	r.note(now, complaint)
}

// note ends what was disturbed until now, and begins what is from now on.
func (r *recovery) note(now time.Time, complaint string) {
	all := r.e.disturbed
	if r.complaint != "" && len(all) > 0 {
		all[len(all)-1].to = now
	}
	r.complaint, r.healthy = complaint, complaint == ""
	if r.healthy {
		r.since = now
		if len(all) > 0 {
			r.d.say("%5.1f s: everything is healthy", now.Sub(r.e.fault).Seconds())
		}
		return
	}
	r.d.say("%5.1f s: %s", now.Sub(r.e.fault).Seconds(), complaint)
	r.e.disturbed = append(all, disturbance{from: now, to: now, what: complaint})
}

// served tells whether every client has had an answer lately.
func (r *recovery) served() bool {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // ask, and do not wait
	return r.book.Wait(ctx, time.Now().Add(-settle/2)) == nil
}
