package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Waiter = (*Ready)(nil)
	_                 = resource.Register(func() resource.Resource { return &Ready{} })
)

// RunsAs is what an instance does in its cluster right now.
type RunsAs string

const (
	Primary RunsAs = "primary" // takes writes
	Replica RunsAs = "replica" // in recovery, fed by another server; also a standby cluster's leader
)

// Ready waits until PostgreSQL accepts connections on this node in the wanted role.
type Ready struct {
	Instance string `json:"instance"` // name in messages, such as "pg-test-1"
	Conn     Conn   `json:"conn"`
	Role     RunsAs `json:"role,omitempty"` // empty = either
	// Patroni is the member's own REST API, asked for its state when waiting ends badly; an
	// empty URL asks nobody.
	Patroni PatroniAPI `json:"patroni"`
	DataDir string     `json:"data_dir,omitempty"` // empty = /pg/data
	Log     string     `json:"log,omitempty"`      // Patroni's log; empty = /pg/log/patroni.log
	// Timeout is how long to wait without progress. Copying a primary may take hours, so the
	// clock starts anew whenever the copy or the replay gets further than ever. 0 = 3 minutes.
	Timeout time.Duration `json:"timeout,omitempty"`
}

const (
	readyPatience = 3 * time.Minute
	readyPause    = 500 * time.Millisecond
	feedPatience  = 7 * time.Second // PostgreSQL's wal_retrieve_retry_interval is 5
	progressPause = 5 * time.Second // looking for progress reads the whole data directory's index
	logTailLines  = 8
	logTailBytes  = 16 << 10
)

func (r *Ready) Kind() string { return "pg_ready" }
func (r *Ready) Name() string { return r.Instance }

func (r *Ready) timeout() time.Duration {
	if r.Timeout == 0 {
		return readyPatience
	}
	return r.Timeout
}

// serverState is how far a server has come.
type serverState struct {
	running  bool
	recovery bool
	fed      bool // in recovery: WAL comes by streaming or from an archive
	forming  bool // a primary that Patroni has not finished setting up
	replayed int64
	problem  error // why it could not be asked
}

func (s serverState) String() string {
	switch {
	case s.problem != nil && !errors.Is(s.problem, errNoServer):
		return s.problem.Error()
	case !s.running:
		return "not running"
	case s.forming:
		return "primary, still being set up by Patroni"
	case !s.recovery:
		return "primary, takes writes"
	case !s.fed:
		return "replica, fed by nobody"
	}
	return "replica, fed by another server"
}

// is tells whether the state is what the role asks for.
func (s serverState) is(role RunsAs) bool {
	switch role {
	case Primary:
		return s.running && !s.recovery && !s.forming
	case Replica:
		return s.running && s.recovery && s.fed
	}
	return s.running && (!s.recovery || s.fed)
}

// wanted tells the role in the words of serverState.
func (r *Ready) wanted() string {
	switch r.Role {
	case Primary:
		return serverState{running: true}.String()
	case Replica:
		return serverState{running: true, recovery: true, fed: true}.String()
	}
	return "running"
}

const stateQuery = `
SELECT pg_is_in_recovery(),
       EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') OR current_setting('restore_command') <> '',
       coalesce(pg_last_wal_replay_lsn() - '0/0', 0)::int8`

// observe asks the server. One that is starting up counts as not running yet.
func (r *Ready) observe(ctx context.Context, h *resource.Host) serverState {
	var state serverState
	s, err := r.Conn.session(ctx, h, maintenance)
	if err == nil {
		err = s.QueryRow(ctx, stateQuery).Scan(&state.recovery, &state.fed, &state.replayed)
	}
	state.running, state.problem = err == nil, err
	state.forming = r.Role == Primary && state.running && !state.recovery && !r.formed(ctx, h)
	return state
}

// formed tells whether Patroni has founded the cluster. A new primary takes statements while
// Patroni still makes its own users; what it then meets that it did not make, or a failure of
// ours in between, would make it throw the new cluster away. The last thing it does is to store
// the configuration, so that is the sign.
func (r *Ready) formed(ctx context.Context, h *resource.Host) bool {
	if r.Patroni.URL == "" {
		return true
	}
	client, err := r.Patroni.Open(h)
	if err != nil {
		return false
	}
	_, err = client.Config(ctx)
	return err == nil
}

// Diff is a change when the server is not what is wanted. A replica whose stream was just broken,
// because its primary restarted or Patroni gave it another slot, is given the time to resume it.
func (r *Ready) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	state := r.observe(ctx, h)
	for began := time.Now(); state.recovery && !state.fed && r.Role != Primary && time.Since(began) < feedPatience; state = r.observe(ctx, h) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(readyPause):
		}
	}
	if state.is(r.Role) {
		return nil, nil
	}
	return &resource.Change{Action: resource.Run, Fields: []resource.Field{{Name: "wait for", Before: state.String(), After: r.wanted()}}}, nil
}

// Waits marks the kind.
func (r *Ready) Waits() {}

// Apply waits as long as there is progress.
func (r *Ready) Apply(ctx context.Context, h *resource.Host) error {
	furthest := &progress{}
	deadline, look := time.Now().Add(r.timeout()), time.Now()
	for {
		state := r.observe(ctx, h)
		if state.is(r.Role) {
			return nil
		}
		if time.Now().After(look) {
			if furthest.advance(r.progress(h, state)) {
				deadline = time.Now().Add(r.timeout())
			}
			look = time.Now().Add(progressPause)
		}
		if time.Now().After(deadline) {
			return r.explain(ctx, h, state)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(readyPause):
		}
	}
}

// explain says what is known of a server that did not get ready.
func (r *Ready) explain(ctx context.Context, h *resource.Host, state serverState) error {
	text := fmt.Sprintf("%s is not ready, and %s went by without progress: it is to be %s; PostgreSQL: %s",
		r.Instance, r.timeout(), r.wanted(), state)
	if r.Patroni.URL != "" {
		text += "; Patroni: " + r.patroniState(ctx, h)
	}
	path := r.Log
	if path == "" {
		path = "/pg/log/patroni.log"
	}
	if tail := logTail(h.Path(path)); tail != "" {
		text += "; the end of " + path + ":\n" + tail
	}
	return errors.New(text)
}

func (r *Ready) patroniState(ctx context.Context, h *resource.Host) string {
	client, err := r.Patroni.Open(h)
	if err != nil {
		return err.Error()
	}
	m, err := client.Member(ctx)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s, %s", m.Role, m.State)
}

// logTail is the last lines of a log; empty when it cannot be read.
func logTail(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	tail := make([]byte, min(info.Size(), logTailBytes))
	if _, err := f.ReadAt(tail, info.Size()-int64(len(tail))); err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(tail)), "\n")
	return strings.Join(lines[max(0, len(lines)-logTailLines):], "\n")
}
