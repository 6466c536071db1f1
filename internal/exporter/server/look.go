package server

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"pigsty/internal/exporter/collector"
)

// discoverEvery is how often databases are looked for.
const discoverEvery = 5 * time.Second

// What is asked about the server. The first touches no table, so that a locked catalog does not
// make a server look dead.
const (
	askRecovery  = "SELECT pg_is_in_recovery()"
	askDatabases = `SELECT datname FROM pg_database
		WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2 AND has_database_privilege(oid, 'CONNECT')`
	askCatalog = `SELECT nspname, NULL FROM pg_namespace
		UNION ALL SELECT e.extname, n.nspname FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace`
)

// lookLimits are those of what is asked about the server.
func (s *Server) lookLimits() limits {
	return limits{timeout: s.config.Patience, confined: true}
}

// look brings what is known of the server and the database up to date. It is false when the server
// does not answer.
func (d *database) look(s *session) bool {
	if d.main && !d.lookAtServer(s) {
		return false
	}
	d.lookAtCatalog(s)
	return !s.closed()
}

func (d *database) lookAtServer(s *session) bool {
	server := d.server
	recovery := false
	if !server.config.Pgbouncer {
		var answer rows
		if err := s.query(askRecovery, server.lookLimits(), &answer); err != nil {
			server.lost(explain(err, d.server.config.Patience))
			return false
		}
		recovery = len(answer) == 1 && answer[0][0] == "t"
	} else if err := d.ping(s); err != nil {
		server.lost(explain(err, d.server.config.Patience))
		return false
	}
	server.answered()
	server.mu.Lock()
	server.state.looked, server.state.recovery = time.Now(), recovery
	server.state.version = parseVersion(s.conn.ParameterStatus("server_version"))
	search := server.config.Discover && !server.config.Pgbouncer && time.Since(server.found) >= discoverEvery
	server.mu.Unlock()
	if search {
		d.discover(s)
	}
	return !s.closed()
}

// ping asks pgBouncer's console for as little as it can tell.
func (d *database) ping(s *session) error {
	var answer rows
	return s.query("SHOW VERSION", d.server.lookLimits(), &answer)
}

// discover looks for databases. When that fails those that are known stay.
func (d *database) discover(s *session) {
	var found rows
	if err := s.query(askDatabases, d.server.lookLimits(), &found); err != nil {
		d.server.config.Log.Warn("databases could not be listed", "error", explain(err, d.server.config.Patience))
		return
	}
	names := make([]string, len(found))
	for i, row := range found {
		names[i] = row[0]
	}
	d.server.follow(names)
}

// lookAtCatalog finds what decides which collectors apply, and drops the results of those that do
// not any more.
func (d *database) lookAtCatalog(s *session) {
	d.server.mu.Lock()
	state := d.server.state
	d.server.mu.Unlock()
	d.mu.Lock()
	facts, fresh, ask := d.facts, !d.known.IsZero() && time.Since(d.known) < factsFor, d.plan.schemas
	d.mu.Unlock()
	same := facts.Recovery == state.recovery && facts.Version == state.version
	if fresh && same {
		return
	}
	next := collector.Facts{
		Pgbouncer: d.server.config.Pgbouncer, Version: state.version, Recovery: state.recovery, Main: d.main,
		Database: d.name, User: d.server.config.Conn.User, Tags: d.server.config.Tags,
		Schemas: facts.Schemas, Extensions: facts.Extensions,
	}
	if ask && !next.Pgbouncer && !fresh {
		if err := d.catalog(s, &next); err != nil && s.closed() {
			return
		}
	}
	d.apply(next)
}

func (d *database) catalog(s *session, into *collector.Facts) error {
	var found rows
	if err := s.query(askCatalog, d.server.lookLimits(), &found); err != nil {
		return err
	}
	into.Schemas, into.Extensions = nil, map[string]string{}
	for _, row := range found {
		if row[1] == "" {
			into.Schemas = append(into.Schemas, row[0])
		} else {
			into.Extensions[row[0]] = row[1]
		}
	}
	return nil
}

// apply chooses the collectors for what was found.
func (d *database) apply(facts collector.Facts) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.facts, d.known = facts, time.Now()
	d.applies = nil
	for _, r := range d.plan.readings {
		if ok, _ := r.Applies(facts); ok {
			d.applies = append(d.applies, r)
		} else {
			delete(d.results, r.Branch)
		}
	}
	// What stops the rest when it fails goes first, and what is quick before what is slow. Those with
	// the same limits come together, so that the server is seldom told new ones.
	slices.SortStableFunc(d.applies, func(a, b *reading) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(patience(a), patience(b)))
	})
}

func order(r *reading) int {
	switch {
	case r.Fatal:
		return 0
	case r.TTL <= live:
		return 1
	}
	return 2
}

// patience is how long a collector's query may take, the longest there is when that is not said.
func patience(r *reading) time.Duration {
	if r.Timeout <= 0 {
		return math.MaxInt64
	}
	return r.Timeout
}

// parseVersion turns what a server says of its version into server_version_num: 17.11 into 170011,
// pgBouncer's 1.24.1/bouncer into 12401. What cannot be read is 0.
func parseVersion(text string) int {
	text, _, _ = strings.Cut(text, " ")
	text, _, pool := strings.Cut(text, "/")
	var numbers [3]int
	for i, part := range strings.SplitN(text, ".", 3) {
		digits := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
		if digits >= 0 {
			part = part[:digits] // 18beta1
		}
		numbers[i], _ = strconv.Atoi(part)
	}
	if pool || numbers[0] < 10 {
		return numbers[0]*10000 + numbers[1]*100 + numbers[2]
	}
	return numbers[0]*10000 + numbers[1]
}

// check has the server looked at unless that was just done, and waits for it.
func (s *Server) check(ctx context.Context) (state, error) {
	s.mu.Lock()
	now := s.state
	s.mu.Unlock()
	if time.Since(now.looked) < time.Second && now.down == nil {
		return now, nil
	}
	select {
	case <-s.main.ask(false):
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.state.gone(time.Now()); err != nil {
		return s.state, err
	}
	return s.state, nil
}

// silence is how long a server may say nothing before it counts as down, while something that was
// asked of it earlier is still under way.
const silence = 5 * time.Second

// gone tells why a server counts as down; nil when it is up.
func (s *state) gone(now time.Time) error {
	switch {
	case s.down != nil:
		return s.down
	case s.alive.IsZero():
		return fmt.Errorf("the server has not answered yet")
	case now.Sub(s.alive) > silence:
		return fmt.Errorf("the server has said nothing for %s", now.Sub(s.alive).Round(time.Second))
	}
	return s.fatal
}
