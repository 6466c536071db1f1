package inspect

import (
	"context"
	"net"
	"os"
	"sync"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/haproxy"
	"pigsty/internal/hba"
	"pigsty/internal/resource"
)

// Gather looks at the node. What cannot be seen is told in place of the answer.
func Gather(ctx context.Context, q Query, h *resource.Host) Instance {
	var i Instance
	var group sync.WaitGroup
	if q.Roles || q.Databases || q.Rules || q.Extensions {
		group.Go(func() {
			if err := i.server(ctx, q, h); err != nil {
				i.Error = err.Error()
			}
		})
	}
	if q.Pool != 0 {
		i.Pool = &Pool{}
		group.Go(func() {
			if err := i.Pool.ask(ctx, q, h); err != nil {
				i.Pool.Error = err.Error()
			}
		})
	}
	if q.Stats != "" {
		group.Go(func() {
			servers, err := haproxy.Admin(h.Path(q.Stats)).Servers(ctx)
			if err != nil {
				i.ServersError = err.Error()
			}
			for _, s := range servers {
				i.Servers = append(i.Servers, Server{
					Service: s.Backend, Server: s.Name, Status: s.Status, Backup: s.Backup, Weight: s.Weight,
					Sessions: s.Sessions, Check: s.Check, Since: s.Since,
				})
			}
		})
	}
	group.Wait()
	return i
}

// server asks PostgreSQL.
func (i *Instance) server(ctx context.Context, q Query, h *resource.Host) error {
	s, err := q.Conn.Open(ctx, h, "postgres")
	if err != nil {
		return err
	}
	defer s.Close(context.WithoutCancel(ctx))
	err = s.QueryRow(ctx, "SELECT current_setting('server_version_num')::int / 10000, pg_is_in_recovery()").Scan(&i.Version, &i.Replica)
	if err == nil && q.Roles {
		i.Roles, err = readRoles(ctx, s)
	}
	if err == nil && (q.Databases || q.Extensions) {
		i.Databases, err = readDatabases(ctx, s)
		for n := range i.Databases {
			i.Databases[n].look(ctx, q, h)
		}
	}
	if err == nil && q.Rules {
		err = i.readRules(ctx, s, h)
	}
	if err == nil && q.Extensions {
		err = i.readExtensions(ctx, s)
	}
	return err
}

// look reads the extensions of a database that lets sessions in.
func (d *Database) look(ctx context.Context, q Query, h *resource.Host) {
	if !d.AllowConn {
		return
	}
	s, err := q.Conn.Open(ctx, h, d.Name)
	if err == nil {
		defer s.Close(context.WithoutCancel(ctx))
		d.Extensions, err = readCreated(ctx, s)
	}
	if err != nil {
		d.Error = err.Error()
	}
}

// readRules reads the access rules that PostgreSQL finds in its files, each with its text.
func (i *Instance) readRules(ctx context.Context, s *pgx.Conn, h *resource.Host) error {
	var file string
	err := s.QueryRow(ctx, rulesFileQuery).Scan(&file, &i.RulesChanged)
	if err != nil {
		return err
	}
	if i.Rules, err = readRules(ctx, s, file); err != nil {
		return err
	}
	text, err := os.ReadFile(h.Path(file))
	if err != nil {
		return err
	}
	texts := map[int]string{}
	for _, r := range hba.Parse(string(text)) {
		texts[r.Line] = r.Text
	}
	for n := range i.Rules {
		if i.Rules[n].File == "" {
			i.Rules[n].Text = texts[i.Rules[n].Line]
		}
	}
	addresses, err := net.InterfaceAddrs()
	for _, a := range addresses {
		i.Networks = append(i.Networks, a.String())
	}
	return err
}

// ask asks pgBouncer.
func (p *Pool) ask(ctx context.Context, q Query, h *resource.Host) error {
	conn := q.Conn
	conn.Port = q.Pool
	s, err := conn.OpenPool(ctx, h)
	if err != nil {
		return err
	}
	defer s.Close(context.WithoutCancel(ctx))
	users, err := showRows(ctx, s, "SHOW USERS")
	if err != nil {
		return err
	}
	for _, row := range users {
		p.Users = append(p.Users, row["name"])
	}
	databases, err := showRows(ctx, s, "SHOW DATABASES")
	if err != nil {
		return err
	}
	for _, row := range databases {
		p.Databases = append(p.Databases, PoolDatabase{Name: row["name"], Mode: row["pool_mode"], Sessions: number(row["current_connections"])})
	}
	if q.PoolRules == "" {
		return nil
	}
	text, err := os.ReadFile(h.Path(q.PoolRules))
	p.Rules = hba.Parse(string(text))
	return err
}
