package drill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// The schema that a drill makes for itself. Its comment tells it from one of somebody else's.
const (
	schema  = "pigsty_drill"
	mark    = "made by pigsty drill, which removes it"
	rows    = schema + ".ledger"
	pulses  = schema + ".pulse"
	comment = "SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace WHERE nspname = '" + schema + "'"
)

// foreignSchema is the name taken by something that no drill made.
type foreignSchema struct{ database string }

func (e *foreignSchema) Error() string {
	return fmt.Sprintf("database %s has a schema %s that no drill has made: rename it", e.database, schema)
}

// atLeader gives a connection of the administrator to the member that takes writes.
func (d *Drill) atLeader(ctx context.Context) (*pgx.Conn, error) {
	var failed []error
	for _, i := range d.c.Instances {
		conn, err := pgx.ConnectConfig(ctx, d.logins.admin.at(i.Node.Addr, i.Param.PgPort, d.logins.database))
		if err == nil {
			var replica bool
			if err = conn.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&replica); err == nil && !replica {
				return conn, nil
			}
			closeConn(conn)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s as %s: %w", i.Name, d.logins.admin.user, err))
		}
	}
	return nil, fmt.Errorf("no member of cluster %s takes writes: %w", d.c.Name, errors.Join(failed...))
}

func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_ = conn.Close(ctx) // the server may have gone
}

// makeTables makes the schema anew; a drill that was killed may have left one.
func (d *Drill) makeTables(ctx context.Context) error {
	conn, err := d.atLeader(ctx)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	if err := d.removeLeftover(ctx, conn); err != nil {
		return err
	}
	statements := []string{
		"CREATE SCHEMA " + schema,
		"COMMENT ON SCHEMA " + schema + " IS '" + mark + "'",
		"CREATE TABLE " + rows + " (n bigint NOT NULL)",
		"CREATE TABLE " + pulses + " (member text NOT NULL)",
	}
	if d.logins.pool != nil {
		user := pgx.Identifier{d.logins.pool.user}.Sanitize()
		statements = append(statements, "GRANT USAGE ON SCHEMA "+schema+" TO "+user, "GRANT SELECT, INSERT ON "+rows+" TO "+user)
	}
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("make the drill's table in database %s: %s: %w", d.logins.database, sql, err)
		}
	}
	return nil
}

func (d *Drill) removeLeftover(ctx context.Context, conn *pgx.Conn) error {
	var said string
	err := conn.QueryRow(ctx, comment).Scan(&said)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if said != mark {
		return &foreignSchema{d.logins.database}
	}
	_, err = conn.Exec(ctx, "DROP SCHEMA "+schema+" CASCADE")
	return err
}

// dropTables removes the schema, and goes on trying while nobody takes writes.
func (d *Drill) dropTables(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := d.dropOnce(ctx)
		var foreign *foreignSchema
		if err == nil || errors.As(err, &foreign) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("schema %s of database %s is still there, and the next drill removes it: %w", schema, d.logins.database, err)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (d *Drill) dropOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := d.atLeader(ctx)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	return d.removeLeftover(ctx, conn)
}
