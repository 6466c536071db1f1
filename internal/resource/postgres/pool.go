package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/resource"
)

// poolConsole is pgBouncer's database for those who administer it.
const poolConsole = "pgbouncer"

// poolRow is a line of SHOW CLIENTS or SHOW SERVERS, by the names of its columns, which are not
// the same in all versions.
type poolRow map[string]any

func (r poolRow) text(column string) string {
	if r[column] == nil {
		return ""
	}
	return fmt.Sprint(r[column])
}

// Pool says where the node's own pgBouncer listens; without a port there is none.
type Pool Conn

// open opens a session with the pool's console; nil when no pool runs here.
func (p Pool) open(ctx context.Context, h *resource.Host) (*pgx.Conn, error) {
	if p.Port == 0 {
		return nil, nil
	}
	c := Conn(p)
	dial, err := c.dialer(h)
	if errors.Is(err, resource.ErrAbsent) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	config, err := c.config(h, poolConsole)
	if err != nil {
		return nil, err
	}
	config.DialFunc = dial
	config.RuntimeParams = nil // the console refuses those it does not know
	conn, err := pgx.ConnectConfig(ctx, config)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("speak to pgBouncer: %w", err)
	}
	return conn, nil
}

// show asks the console; it gives nothing where no pool runs.
func (p Pool) show(ctx context.Context, h *resource.Host, what string) ([]poolRow, error) {
	conn, err := p.open(ctx, h)
	if conn == nil || err != nil {
		return nil, err
	}
	defer session{conn}.Close()
	rows, err := conn.Query(ctx, "SHOW "+what)
	if err != nil {
		return nil, fmt.Errorf("ask pgBouncer for its %s: %w", what, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToMap)
	if err != nil {
		return nil, fmt.Errorf("ask pgBouncer for its %s: %w", what, err)
	}
	var out []poolRow
	for _, row := range all {
		out = append(out, row)
	}
	return out, nil
}

// clients lists those of the pool's clients that a column's value chooses, such as user app. Most of
// them have no server connection of their own at most times, so PostgreSQL does not know of them.
func (p Pool) clients(ctx context.Context, h *resource.Host, column, value string) ([]string, error) {
	rows, err := p.show(ctx, h, "CLIENTS")
	var clients []string
	for _, r := range rows {
		if r.text(column) != value || r.text("database") == poolConsole {
			continue
		}
		text := "a client of pgBouncer, " + r.text("user") + " in " + r.text("database") + " from " + r.text("addr")
		if name := r.text("application_name"); name != "" {
			text += " (" + name + ")"
		}
		clients = append(clients, text)
	}
	return clients, err
}

// processes are the server's processes that work for the pool. Who uses them is one of its clients;
// those that nobody uses stay for the next one.
func (p Pool) processes(ctx context.Context, h *resource.Host) ([]string, error) {
	rows, err := p.show(ctx, h, "SERVERS")
	var pids []string
	for _, r := range rows {
		pids = append(pids, r.text("remote_pid"))
	}
	return pids, err
}

// release has the pool close its connections to a database as soon as nobody uses them.
func (p Pool) release(ctx context.Context, h *resource.Host, database string) error {
	databases, err := p.show(ctx, h, "DATABASES")
	known := slices.ContainsFunc(databases, func(r poolRow) bool { return r.text("name") == database })
	if !known || err != nil {
		return err
	}
	conn, err := p.open(ctx, h)
	if conn == nil || err != nil {
		return err
	}
	defer session{conn}.Close()
	if _, err := conn.Exec(ctx, "RECONNECT "+quoteName(database)); err != nil {
		return fmt.Errorf("have pgBouncer let go of database %s: %w", database, err)
	}
	return nil
}
