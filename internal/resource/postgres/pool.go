package postgres

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"syscall"

	"pigsty/internal/resource"
)

// Pool says where the node's own pgBouncer listens; without a port there is none.
type Pool Conn

// open opens a session with the pool's console; nil when no pool runs here.
func (p Pool) open(ctx context.Context, h *resource.Host) (*poolConsole, error) {
	if p.Port == 0 {
		return nil, nil
	}
	console, err := openConsole(ctx, h, Conn(p))
	if errors.Is(err, resource.ErrAbsent) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, nil
	}
	return console, err
}

// show asks the console for a list; it gives nothing where no pool runs.
func (p Pool) show(ctx context.Context, h *resource.Host, what string) ([]map[string]string, error) {
	console, err := p.open(ctx, h)
	if console == nil || err != nil {
		return nil, err
	}
	defer console.close()
	return console.show(ctx, what)
}

// clients lists those of the pool's clients that a column's value chooses, such as user app. Most of
// them have no server connection of their own at most times, so PostgreSQL does not know of them.
func (p Pool) clients(ctx context.Context, h *resource.Host, column, value string) ([]string, error) {
	rows, err := p.show(ctx, h, "CLIENTS")
	var clients []string
	for _, r := range rows {
		if r[column] != value || r["database"] == consoleDatabase {
			continue
		}
		text := "a client of pgBouncer, " + r["user"] + " in " + r["database"] + " from " + r["addr"]
		if name := r["application_name"]; name != "" {
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
		pids = append(pids, r["remote_pid"])
	}
	return pids, err
}

// release has the pool close its connections to a database as soon as nobody uses them.
func (p Pool) release(ctx context.Context, h *resource.Host, database string) error {
	databases, err := p.show(ctx, h, "DATABASES")
	known := slices.ContainsFunc(databases, func(r map[string]string) bool { return r["name"] == database })
	if !known || err != nil {
		return err
	}
	console, err := p.open(ctx, h)
	if console == nil || err != nil {
		return err
	}
	defer console.close()
	return console.do(ctx, "RECONNECT "+quoteName(database))
}
