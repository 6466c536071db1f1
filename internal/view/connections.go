package view

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"pigsty/internal/model"
)

// purposes say what v1.5's services are for.
var purposes = map[string]string{
	"primary": "read and write, through the pool",
	"replica": "read only, through the pool",
	"standby": "read only, synchronous replica first, through the pool",
	"default": "read and write, straight to PostgreSQL",
	"offline": "read only, for slow queries, straight to PostgreSQL",
}

// Connections prints how to reach each service, of the named clusters or of all. A name that no
// cluster has is an error.
func Connections(w io.Writer, d *model.Deployment, names []string) error {
	for _, name := range names {
		if d.Cluster(name) == nil {
			return fmt.Errorf("the inventory has no cluster %s", name)
		}
	}
	for _, c := range d.Pg {
		if len(names) == 0 || names[0] == c.Name {
			connections(w, c)
		}
	}
	return nil
}

func connections(w io.Writer, c *model.PgCluster) {
	var members []string
	for _, i := range c.Instances {
		members = append(members, fmt.Sprintf("%s %s", i.Name, i.Node.Addr))
	}
	fmt.Fprintf(w, "%s  (%s)\n", c.Name, strings.Join(members, ", "))
	host, user, database := entrance(c), firstUser(c), firstDatabase(c)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range c.Services {
		fmt.Fprintf(t, "  psql \"host=%s port=%d user=%s dbname=%s sslmode=require\"\t%s\n", host, s.Port, user, database, purposes[s.Param.Name])
	}
	t.Flush()
}

// entrance is the address to give to clients: the virtual one, or the declared primary's.
func entrance(c *model.PgCluster) string {
	if c.HasVIP() {
		return c.Param.VipAddress
	}
	return c.Primary().Node.Addr
}

func firstUser(c *model.PgCluster) string {
	for _, u := range c.Param.PgUsers {
		if u.Pgbouncer {
			return u.Name
		}
	}
	return c.Param.PgAdminUsername
}

func firstDatabase(c *model.PgCluster) string {
	databases := c.Param.PgDatabases
	if len(databases) == 0 {
		return "postgres"
	}
	return databases[0].Name
}
