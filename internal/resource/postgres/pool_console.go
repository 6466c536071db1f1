package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/resource"
)

// consoleDatabase is pgBouncer's database for those who administer it.
const consoleDatabase = "pgbouncer"

// poolConsole is a session with pgBouncer's console, which takes one statement at a time.
type poolConsole struct{ conn *pgx.Conn }

// openConsole connects as the operating system user that pgBouncer runs as.
func openConsole(ctx context.Context, h *resource.Host, c Conn) (*poolConsole, error) {
	dial, err := c.dialer(h)
	if err != nil {
		return nil, err
	}
	config, err := c.config(h, consoleDatabase)
	if err != nil {
		return nil, err
	}
	config.DialFunc = dial
	config.RuntimeParams = nil // the console knows none
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to pgBouncer's console: %w", err)
	}
	return &poolConsole{conn}, nil
}

// close leaves the console, which need not live.
func (c *poolConsole) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.conn.Close(ctx)
}

// do has the console carry out a statement.
func (c *poolConsole) do(ctx context.Context, statement string) error {
	if _, err := c.conn.PgConn().Exec(ctx, statement).ReadAll(); err != nil {
		return fmt.Errorf("pgBouncer, %s: %w", statement, err)
	}
	return nil
}

// show asks for one of the console's lists, each row by the names of its columns.
func (c *poolConsole) show(ctx context.Context, what string) ([]map[string]string, error) {
	results, err := c.conn.PgConn().Exec(ctx, "SHOW "+what).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("pgBouncer, SHOW %s: %w", what, err)
	}
	var rows []map[string]string
	for _, result := range results {
		for _, values := range result.Rows {
			row := map[string]string{}
			for i, field := range result.FieldDescriptions {
				row[field.Name] = string(values[i])
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}
