package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// database is the server that everybody watches.
type database struct {
	root string // of the system it runs in
	dir  string // its data, as the system sees it
	port int
	group
}

// settings are Debian's where nothing is said: what the exporters look at is on, and what would work
// for itself meanwhile is off. Shared memory in files works without /dev/shm.
const settings = `listen_addresses = '127.0.0.1'
unix_socket_directories = ''
dynamic_shared_memory_type = mmap
shared_preload_libraries = pg_stat_statements
pg_stat_statements.track_utility = off
track_functions = all
track_io_timing = on
wal_level = logical
fsync = off
autovacuum = off
`

const bin = "/usr/lib/postgresql/17/bin/"

// startDatabase makes a server in a Debian system.
func startDatabase(ctx context.Context, root, name string) (*database, error) {
	d := &database{root: root, dir: filepath.Join("/var/tmp", name)}
	var err error
	if d.port, err = freePort(); err != nil {
		return nil, err
	}
	if d.group, err = newGroup("postgresql"); err != nil {
		return nil, err
	}
	if out, err := d.command(ctx, bin+"initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "-D", d.dir).CombinedOutput(); err != nil {
		return d, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	conf, err := os.OpenFile(filepath.Join(root, d.dir, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return d, err
	}
	if _, err := fmt.Fprintf(conf, "port = %d\n%s", d.port, settings); err != nil {
		return d, err
	}
	if err := conf.Close(); err != nil {
		return d, err
	}
	var log bytes.Buffer
	server := d.command(context.WithoutCancel(ctx), bin+"postgres", "-D", d.dir)
	server.Stderr = &log
	if err := d.start(server); err != nil {
		return d, err
	}
	return d, d.fill(ctx, &log)
}

// command is one of the server's programs, run as its user.
func (d *database) command(ctx context.Context, argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "chroot", append([]string{"--userspec=postgres:postgres", d.root}, argv...)...)
	cmd.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C"}
	return cmd
}

// fill makes what is there before any table: a database, and as many different queries as a server
// in use has.
func (d *database) fill(ctx context.Context, log *bytes.Buffer) error {
	var err error
	for range 200 {
		if err = d.do(ctx, "postgres", "SELECT 1"); err == nil || ctx.Err() != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("the server does not start: %w\n%s", err, log)
	}
	var queries strings.Builder
	for n := range 300 {
		fmt.Fprintf(&queries, "SELECT 1%s;", strings.Repeat(", 1", n))
	}
	for _, sql := range []string{"CREATE EXTENSION pg_stat_statements", "CREATE DATABASE bench", queries.String()} {
		if err := d.do(ctx, "postgres", sql); err != nil {
			return err
		}
	}
	return d.do(ctx, "bench", "CREATE EXTENSION pg_stat_statements")
}

// grow adds tables until there are that many: each with a key, another index and a few rows, and
// used a little.
func (d *database) grow(ctx context.Context, from, to int) error {
	for begin := from; begin < to; begin += 100 {
		var sql strings.Builder
		for n := begin; n < min(begin+100, to); n++ {
			fmt.Fprintf(&sql, `CREATE TABLE tab%[1]d (id int PRIMARY KEY, v text); CREATE INDEX ON tab%[1]d (v);
				INSERT INTO tab%[1]d SELECT g, 'x' || g FROM generate_series(1, %[2]d) AS g; UPDATE tab%[1]d SET v = 'y' WHERE id < %[3]d;
				SELECT count(*) FROM tab%[1]d WHERE id = 3;`, n, 10+n%50, n%7)
		}
		if err := d.do(ctx, "bench", sql.String()); err != nil {
			return err
		}
	}
	return d.do(ctx, "bench", "VACUUM ANALYZE", "CHECKPOINT")
}

func (d *database) do(ctx context.Context, name string, statements ...string) error {
	conn, err := pgx.Connect(ctx, d.url(name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("%.60s: %w", sql, err)
		}
	}
	return nil
}

func (d *database) url(name string) string {
	return fmt.Sprintf("postgresql://postgres@127.0.0.1:%d/%s?sslmode=disable", d.port, name)
}

// remove ends the server and removes its data.
func (d *database) remove() error {
	if err := d.end(); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(d.root, d.dir))
}

// freePort gives a port nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
