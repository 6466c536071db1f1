package controller

import (
	"context"
	"fmt"
	"path"
	"strconv"

	"pigsty/internal/model"
	"pigsty/internal/remote"
)

// Streams are where a program on a node reads and writes.
type Streams = remote.Streams

// Psql is a session of psql as the user that runs the server.
type Psql struct {
	Target   string   // an instance, or a cluster, whose leader is meant
	Database string   // empty = psql's own default, that of the user's name
	Args     []string // more arguments of psql
	Terminal bool     // the session is a person's, whose terminal Streams.In is
}

// Psql runs psql on the node of an instance or of a cluster's leader. The error is an
// *exec.ExitError when psql ended with a code other than 0.
func (s *Site) Psql(ctx context.Context, p Psql, dial Dialer, streams Streams) error {
	i, err := s.serving(ctx, p.Target, dial)
	if err != nil {
		return err
	}
	argv := []string{path.Join(i.Param.PgBinDir, "psql"), "-h", i.Param.PgLocalhost, "-p", strconv.Itoa(i.Param.PgPort)}
	if p.Database != "" {
		argv = append(argv, "-d", p.Database)
	}
	return run(ctx, i, append(argv, p.Args...), p.Terminal, streams)
}

// serving is the instance of that name, or the one that leads the cluster of that name now.
func (s *Site) serving(ctx context.Context, name string, dial Dialer) (*model.PgInstance, error) {
	c, err := s.cluster(name)
	if err != nil {
		return nil, err
	}
	if c.Name != name {
		return s.instance(name)
	}
	nodes := members(c)
	s.Connect(ctx, nodes, dial).Leave()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	i := c.Leader()
	if p := i.Node.Facts.Patroni; p == nil || p.Role == "replica" {
		return nil, fmt.Errorf("nobody is known to lead cluster %s: see pigsty pg list %s, or name an instance", name, name)
	}
	return i, nil
}

// LogSource is a program whose log is kept on an instance's node.
type LogSource string

// The logs of an instance.
const (
	PostgresLog  LogSource = "postgres"
	PatroniLog   LogSource = "patroni"
	PgbouncerLog LogSource = "pgbouncer"
)

// files are the logs whose name stays the same.
var files = map[LogSource]string{
	PatroniLog:   "/pg/log/patroni.log",
	PgbouncerLog: "/var/log/pgbouncer/pgbouncer.log",
}

// postgresLog shows the end of the file that PostgreSQL writes to, which it tells itself, and
// prefers the CSV one. Following, it goes on to the next file as PostgreSQL does; it ends with tail,
// which ends when nobody reads any more.
const postgresLog = `cd "$1" || exit
current() { for kind in csvlog "[a-z]*"; do sed -n "s/^$kind //p" current_logfiles 2>/dev/null; done | head -n 1; }
n=$2 file=$(current)
if [ -z "$file" ]; then echo "PostgreSQL has told of no log since it was started; its start is in Patroni's (--patroni)." >&2; exit 1; fi
if [ "$3" != follow ]; then exec tail -n "$n" -- "$file"; fi
while :; do
	tail -n "$n" -F -- "$file" 2>/dev/null & tail=$!
	while next=$(current); [ -z "$next" ] || [ "$next" = "$file" ]; do
		kill -0 $tail 2>/dev/null || exit 0
		sleep 1
	done
	kill $tail
	n=+1 file=$next
done`

// Log writes the last lines of an instance's log as they are, and with follow what is added, until
// ctx is cancelled.
func (s *Site) Log(ctx context.Context, instance string, source LogSource, lines int, follow bool, streams Streams) error {
	i, err := s.instance(instance)
	if err != nil {
		return err
	}
	argv := []string{"tail", "-n", strconv.Itoa(lines)}
	if follow {
		argv = append(argv, "-F")
	}
	argv = append(argv, "--", files[source])
	if source == PostgresLog {
		how := "once"
		if follow {
			how = "follow"
		}
		argv = []string{"sh", "-c", postgresLog, "sh", i.Param.PgData, strconv.Itoa(lines), how}
	}
	return run(ctx, i, argv, false, streams)
}

// run runs a program on an instance's node as the user that runs the server.
func run(ctx context.Context, i *model.PgInstance, argv []string, terminal bool, streams Streams) error {
	dir, err := controlDir()
	if err != nil {
		return err
	}
	own, err := ownAddresses()
	if err != nil {
		return err
	}
	return remote.Run(ctx, target(i.Node, own), dir, remote.Program{User: i.Param.PgDbsu, Argv: argv, Terminal: terminal}, streams)
}
