package drill

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/ledger"
	"pigsty/internal/model"
)

const (
	watchPace     = 100 * time.Millisecond
	watchPatience = time.Second
)

// condition is what a member's PostgreSQL is.
type condition string

const (
	down    condition = "down"    // it does not answer
	replica condition = "replica" // it is in recovery
	primary condition = "primary" // it is not
)

// sample is one answer of a member's PostgreSQL, or none.
type sample struct {
	asked, told time.Time
	condition   condition
	started     int64         // see ledger.Server
	timeline    uint32        // that it writes on, or receives
	clock       time.Duration // how far its clock is ahead of ours; right within half of told − asked
}

// pulse is a write that the watch made on a member itself and that was acknowledged.
type pulse struct {
	sent, told time.Time
	server     ledger.Server
}

// watcher asks one member's PostgreSQL what it is, and whether it takes writes.
type watcher struct {
	instance *model.PgInstance
	config   *pgx.ConnConfig

	mu      sync.Mutex
	samples []sample
	pulses  []pulse
}

// watch begins to watch every member, until ctx ends.
func (d *Drill) watch(ctx context.Context) ([]*watcher, *sync.WaitGroup) {
	var all []*watcher
	var group sync.WaitGroup
	for _, i := range d.c.Instances {
		w := &watcher{instance: i, config: d.logins.admin.at(i.Node.Addr, i.Param.PgPort, d.logins.database)}
		all = append(all, w)
		group.Go(func() { w.follow(ctx, func() bool { return true }, w.look, w.silent) })
		group.Go(func() { w.follow(ctx, w.leads, w.write, func(time.Time) {}) })
	}
	return all, &group
}

// follow does something every tenth of a second over a connection while it is wanted. After an
// error, which failed is told of, it connects anew.
func (w *watcher) follow(ctx context.Context, wanted func() bool, do func(context.Context, *pgx.Conn) error, failed func(begun time.Time)) {
	var conn *pgx.Conn
	tick := time.NewTicker(watchPace)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			if conn != nil {
				closeConn(conn)
			}
			return
		case <-tick.C:
		}
		if !wanted() {
			continue
		}
		begun := time.Now()
		var err error
		if conn, err = w.once(ctx, conn, do); err != nil && ctx.Err() == nil {
			failed(begun)
		}
	}
}

// once returns the connection to go on with, if any.
func (w *watcher) once(ctx context.Context, conn *pgx.Conn, do func(context.Context, *pgx.Conn) error) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, watchPatience)
	defer cancel()
	if conn == nil {
		var err error
		if conn, err = pgx.ConnectConfig(ctx, w.config); err != nil {
			return nil, err
		}
	}
	if err := do(ctx, conn); err != nil {
		closeConn(conn)
		return nil, err
	}
	return conn, nil
}

// silent notes that a question that was begun then had no answer.
func (w *watcher) silent(begun time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.samples = append(w.samples, sample{asked: begun, told: time.Now(), condition: down})
}

func (w *watcher) leads() bool { return w.last().condition == primary }

const lookSQL = "SELECT pg_is_in_recovery(), " + ledger.Identity + ", clock_timestamp(), CASE WHEN pg_is_in_recovery() " +
	"THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver), 0) ELSE " + ledger.WriteTimeline + " END"

func (w *watcher) look(ctx context.Context, conn *pgx.Conn) error {
	s := sample{asked: time.Now(), condition: primary}
	var recovering bool
	var clock time.Time
	err := conn.QueryRow(ctx, lookSQL, pgx.QueryExecModeSimpleProtocol).Scan(&recovering, &s.started, &clock, &s.timeline)
	if err != nil {
		return err
	}
	s.told = time.Now()
	s.clock = clock.Sub(s.asked.Add(s.told.Sub(s.asked) / 2))
	if recovering {
		s.condition = replica
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.samples = append(w.samples, s)
	return nil
}

const pulseSQL = "INSERT INTO " + pulses + " VALUES ($1) RETURNING " + ledger.Identity + ", " + ledger.WriteTimeline

// write proves that a member that says it is no replica takes writes.
func (w *watcher) write(ctx context.Context, conn *pgx.Conn) error {
	p := pulse{sent: time.Now()}
	rows, err := conn.Query(ctx, pulseSQL, pgx.QueryExecModeSimpleProtocol, w.instance.Name)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&p.server.Started, &p.server.Timeline}, func() error { return nil })
	}
	if err != nil {
		return err
	}
	p.told = time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pulses = append(w.pulses, p)
	return nil
}

func (w *watcher) last() sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.samples) == 0 {
		return sample{condition: down}
	}
	return w.samples[len(w.samples)-1]
}

// clockAhead is how far a member's clock is ahead of ours, by the answer that took least.
func clockAhead(samples []sample) time.Duration {
	var best sample
	for _, s := range samples {
		if s.condition != down && (best.condition == "" || s.told.Sub(s.asked) < best.told.Sub(best.asked)) {
			best = s
		}
	}
	return best.clock
}
