package postgres

import (
	"context"
	"fmt"

	"pigsty/internal/resource"
)

// diffAbsent is the change that drops the database, and says what stands in its way.
func (d *Database) diffAbsent(ctx context.Context, h *resource.Host, s session, have *databaseRow) (*resource.Change, error) {
	if err := d.protected(have); err != nil {
		return nil, err
	}
	sessions, err := d.Pool.users(ctx, h, s, "datname", d.Database)
	if err != nil {
		return nil, err
	}
	c := &resource.Change{Action: resource.Delete, Impact: resource.DataLoss}
	if len(sessions) > 0 {
		c.Effect = "refused while somebody is connected: " + shortList(sessions)
	}
	return c, nil
}

// protected refuses to drop what PostgreSQL itself or other databases need.
func (d *Database) protected(have *databaseRow) error {
	if d.Database == maintenance || have.template && !have.awaits() {
		return fmt.Errorf("database %s is not dropped: it is a template, or the one that tools connect to", d.Database)
	}
	return nil
}

// drop removes the database. There is no FORCE in it: whoever is connected is using it. What the pool
// keeps open for nobody it lets go of, which takes it a moment; PostgreSQL waits five seconds for
// such sessions before it refuses.
func (d *Database) drop(ctx context.Context, h *resource.Host, s session, have *databaseRow) error {
	if have == nil {
		return nil
	}
	if err := d.protected(have); err != nil {
		return err
	}
	d.Conn.leave(h, d.Database)
	sessions, err := d.Pool.users(ctx, h, s, "datname", d.Database)
	if err != nil {
		return err
	}
	if len(sessions) > 0 {
		return fmt.Errorf("database %s is not dropped, because somebody is connected: %s; end the sessions and apply again", d.Database, shortList(sessions))
	}
	if err := d.Pool.release(ctx, h, d.Database); err != nil {
		return err
	}
	// The exporter comes back to it at its next look at the databases, and finds it gone.
	if _, err := s.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '"+watching+"' AND datname = $1", d.Database); err != nil {
		return problem("end the exporter's session with "+d.Database, err)
	}
	sql := []string{"DROP DATABASE " + quoteName(d.Database)}
	if have.template { // made for a script that was never loaded
		sql = append([]string{"ALTER DATABASE " + quoteName(d.Database) + " IS_TEMPLATE false"}, sql...)
	}
	return s.run(ctx, "drop database "+d.Database, []edit{{SQL: sql, Alone: true}})
}
