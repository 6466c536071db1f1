package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// pooledDatabases are those of this node's pool that can be paused. Pools in session mode cannot:
// a session has its server to itself until it ends, so pausing would wait for all of them to end.
func (o *Handover) pooledDatabases(ctx context.Context, c *poolConsole) (names, sessions []string, err error) {
	databases, err := c.show(ctx, "DATABASES")
	if err != nil {
		return nil, nil, err
	}
	pools, err := c.show(ctx, "POOLS")
	if err != nil {
		return nil, nil, err
	}
	session := map[string]bool{}
	for _, p := range pools {
		if p["pool_mode"] == "session" {
			session[p["database"]] = true
		}
	}
	for _, d := range databases {
		switch name := d["name"]; {
		case name == consoleDatabase:
		case session[name] || d["pool_mode"] == "session":
			sessions = append(sessions, name)
		default:
			names = append(names, name)
		}
	}
	return names, sessions, nil
}

// pause holds the clients of this node's pool, each between two transactions.
func (k *keeper) pause(ctx context.Context) error {
	console, err := openConsole(ctx, k.host, *k.Console)
	if err != nil {
		return err
	}
	defer console.close()
	names, sessions, err := k.pooledDatabases(ctx, console)
	if err != nil {
		return err
	}
	if len(sessions) > 0 {
		k.note("clients of %s are cut: pgBouncer serves it in session mode", strings.Join(sessions, ", "))
	}
	limit, cancel := context.WithTimeout(ctx, pauseLimit)
	defer cancel()
	open := make([]string, len(names))
	failures := make([]error, len(names))
	var group sync.WaitGroup
	for i, name := range names {
		group.Go(func() {
			failures[i] = k.pauseOne(limit, name)
			if failures[i] != nil && limit.Err() != nil {
				open[i] = name
			}
		})
	}
	group.Wait()
	open = slices.DeleteFunc(open, func(name string) bool { return name == "" })
	if len(open) > 0 {
		return fmt.Errorf("transactions on %s did not end within %s, and nothing was changed: wait for them or end them (%s), or cut them with --cut",
			strings.Join(open, ", "), pauseLimit, k.longest(ctx))
	}
	return errors.Join(failures...)
}

// pauseOne pauses one database over a session of its own: the console waits until it is done.
func (k *keeper) pauseOne(ctx context.Context, database string) error {
	console, err := openConsole(ctx, k.host, *k.Console)
	if err != nil {
		return err
	}
	defer console.close()
	return console.do(ctx, "PAUSE "+quoteName(database))
}

// longest tells which server process has the oldest transaction.
func (k *keeper) longest(ctx context.Context) string {
	const unknown = "see pg_stat_activity"
	conn, err := k.Server.open(ctx, k.host, maintenance)
	if err != nil {
		return unknown
	}
	defer conn.Close()
	var pid, seconds int
	var user string
	err = conn.QueryRow(ctx, `SELECT pid, coalesce(usename, ''), extract(epoch FROM now() - xact_start)::int FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND xact_start < now() ORDER BY xact_start LIMIT 1`).Scan(&pid, &user, &seconds)
	if err != nil {
		return unknown
	}
	return fmt.Sprintf("the oldest is process %d of user %s, %d seconds old", pid, user, seconds)
}

// serverOfDatabase is where a line of the file of databases leads to.
var serverOfDatabase = regexp.MustCompile(`(?m)^((?:"(?:[^"]|"")*"|[^\s"]+)\s*=.*?)\bhost=\S+ port=\d+`)

// ledTo is a file of databases that leads to a pool.
func ledTo(home string, pool PoolAddress) string {
	return serverOfDatabase.ReplaceAllString(home, fmt.Sprintf("${1}host=%s port=%d", pool.Host, pool.Port))
}

// lead has the pool's databases lead to a member's pool, or home when the member is the one here,
// and lets the clients go on. The file says so only while pgBouncer reads it: whatever reads it
// later, such as a restart, finds the way home.
func (k *keeper) lead(ctx context.Context, to string) error {
	console, err := openConsole(ctx, k.host, *k.Console)
	if err != nil {
		return err
	}
	defer console.close()
	if err := k.learnHome(); err != nil {
		return err
	}
	away := to != k.Self
	k.progress.Carries, k.progress.Led = away, ""
	if away {
		k.progress.Led = ledTo(k.progress.Home, k.Pools[to])
		k.progress.Moved = time.Now()
	}
	if err := k.save(); err != nil {
		return err
	}
	if err := k.reread(ctx, console, k.progress.Led); err != nil {
		return err
	}
	return resumeAll(ctx, console)
}

// learnHome reads the file that leads home, as it is now: an apply may have changed it since the last
// look.
func (k *keeper) learnHome() error {
	text, err := os.ReadFile(k.host.Path(k.Databases))
	if err == nil && string(text) != k.progress.Led {
		k.progress.Home = string(text)
	}
	return err
}

// reread has pgBouncer take a file of databases; empty = the one that leads home.
func (k *keeper) reread(ctx context.Context, console *poolConsole, content string) error {
	if content == "" {
		return console.do(ctx, "RELOAD")
	}
	if err := k.writeDatabases(content); err != nil {
		return err
	}
	return errors.Join(console.do(ctx, "RELOAD"), k.bringHome(content))
}

// bringHome puts the file that leads home in the place of one that was led, unless somebody else has
// written it meanwhile.
func (k *keeper) bringHome(led string) error {
	current, err := os.ReadFile(k.host.Path(k.Databases))
	if err != nil || string(current) != led {
		return err
	}
	return k.writeDatabases(k.progress.Home)
}

// writeDatabases replaces the content of the file and keeps its owner.
func (k *keeper) writeDatabases(content string) error {
	return k.host.RewriteFile(k.Databases, []byte(content))
}

// resumeAll lets the clients of every paused database go on.
func resumeAll(ctx context.Context, console *poolConsole) error {
	databases, err := console.show(ctx, "DATABASES")
	if err != nil {
		return err
	}
	for _, d := range databases {
		if d["paused"] == "1" {
			err = errors.Join(err, console.do(ctx, "RESUME "+quoteName(d["name"])))
		}
	}
	return err
}

// staying are the clients that came before the new leader was known to HAProxy everywhere, and
// are served by it through this node's pool.
func (k *keeper) staying(ctx context.Context, console *poolConsole) ([]map[string]string, error) {
	clients, err := console.show(ctx, "CLIENTS")
	limit := time.Now() // those of a handover that did not come so far
	if !k.progress.Moved.IsZero() {
		limit = k.progress.Moved.Add(routeLimit)
	}
	return slices.DeleteFunc(clients, func(c map[string]string) bool {
		since, err := time.ParseInLocation("2006-01-02 15:04:05 MST", c["connect_time"], time.Local)
		return c["database"] == consoleDatabase || err != nil || since.After(limit)
	}), err
}

// routeLimit is how long HAProxy may take to see the new leader.
const routeLimit = 15 * time.Second

// goHome ends what the pool does for other members: clients that have stayed are closed between two
// transactions, and the databases lead to this node's own server again.
func (k *keeper) goHome(ctx context.Context) error {
	console, err := openConsole(ctx, k.host, *k.Console)
	if err != nil {
		return err
	}
	defer console.close()
	if !k.primaryHere(ctx) {
		err = k.closeStaying(ctx, console)
	}
	return errors.Join(err, k.bringHome(k.progress.Led), console.do(ctx, "RELOAD"), resumeAll(ctx, console))
}

// closeStaying closes the clients that have stayed, once they are between two transactions or will
// not get there.
func (k *keeper) closeStaying(ctx context.Context, console *poolConsole) error {
	clients, err := k.staying(ctx, console)
	if err != nil || len(clients) == 0 {
		return err
	}
	// One whose transaction does not end is cut.
	_ = k.pause(ctx)
	closed := map[string]bool{}
	for _, c := range clients {
		order := "KILL_CLIENT " + c["id"]
		if c["id"] == "" { // pgBouncer before 1.24 closes all of a database
			order = "KILL " + quoteName(c["database"])
		}
		if !closed[order] {
			closed[order] = true
			_ = console.do(ctx, order) // who has left meanwhile is not there
		}
	}
	return nil
}
