package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/resource"
)

// Open opens a session of the caller's own with a database, for looking and not for changing: it is
// read-only. Close it.
func (c Conn) Open(ctx context.Context, h *resource.Host, database string) (*pgx.Conn, error) {
	settings := sessionSettings()
	settings["default_transaction_read_only"] = "on"
	s, err := c.openWith(ctx, h, database, settings)
	return s.Conn, err
}

// OpenPool opens a session with the console of a pgBouncer that listens where the connection says.
func (c Conn) OpenPool(ctx context.Context, h *resource.Host) (*pgx.Conn, error) {
	s, err := c.openWith(ctx, h, "pgbouncer", nil)
	return s.Conn, err
}
