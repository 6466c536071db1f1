package model

import "pigsty/internal/diag"

// Listed is where the inventory names a user or a database of a cluster.
type Listed struct {
	Pos    diag.Pos
	Absent bool // it is to be removed
}

// ListedUser is the entry of pg_users; nil when there is none.
func (c *PgCluster) ListedUser(name string) *Listed {
	for k, u := range c.Param.PgUsers {
		if u.Name == name {
			return c.listed("pg_users", k, u.State)
		}
	}
	return nil
}

// ListedDatabase is the entry of pg_databases; nil when there is none.
func (c *PgCluster) ListedDatabase(name string) *Listed {
	for k, d := range c.Param.PgDatabases {
		if d.Name == name {
			return c.listed("pg_databases", k, d.State)
		}
	}
	return nil
}

func (c *PgCluster) listed(list string, index int, state string) *Listed {
	value := c.Primary().Node.Vars[list]
	return &Listed{value.NodePos(member(value.Node, index, "name")), state == "absent"}
}
