package pgsql

import (
	"fmt"

	"pigsty/internal/model"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// ReadyRef is the step that says that an instance serves.
func ReadyRef(i *model.PgInstance) resource.Ref { return readyRef(i) }

// UndoDatabase lists what gives a database that was set aside back to its users, and to pools where
// the inventory lists it.
func UndoDatabase(d *model.Deployment, c *model.PgCluster, name string) ([]resource.Step, error) {
	if at := c.ListedDatabase(name); at != nil && at.Absent {
		return nil, fmt.Errorf("%s: the inventory says that database %s is to be absent, and the next apply would drop it: change that first", at.Pos, name)
	}
	return inCluster(d, c, nil, func(m *member) resource.Resource { return &postgres.DatabaseBack{Conn: m.conn(), Database: name} })
}

// UndoUser is the same of a user.
func UndoUser(d *model.Deployment, c *model.PgCluster, name string) ([]resource.Step, error) {
	if at := c.ListedUser(name); at != nil && at.Absent {
		return nil, fmt.Errorf("%s: the inventory says that user %s is to be absent, and the next apply would drop it: change that first", at.Pos, name)
	}
	return inCluster(d, c, nil, func(m *member) resource.Resource { return &postgres.RoleBack{Conn: m.conn(), Role: name} })
}

// Destroyed is what drops a database or a user that is set aside, on the node of the primary.
func Destroyed(i *model.PgInstance, what, name string) resource.Resource {
	m := &member{c: i.Cluster, i: i, p: i.Param}
	return &postgres.AsideDestroyed{Conn: m.conn(), What: what, Item: name}
}
