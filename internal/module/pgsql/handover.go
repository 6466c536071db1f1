package pgsql

import (
	"slices"
	"strings"

	"pigsty/internal/haproxy"
	"pigsty/internal/model"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// Whom Patroni answers 200 to: the leader alone, or replicas alone. Other paths have both.
var (
	leaderChecks  = []string{"/", "/primary", "/master", "/leader", "/read-write", "/standby-leader"}
	replicaChecks = []string{"/replica", "/sync", "/synchronous", "/async", "/asynchronous", "/quorum"}
)

// handover is what the member's node needs to keep clients of the pools while leadership moves.
func (m *member) handover() *postgres.Handover {
	o := &postgres.Handover{
		Cluster: m.c.Name, Self: m.i.Name, API: m.api(), Server: m.conn(),
		Databases: pgbouncerDir + "/database.txt", Pools: map[string]postgres.PoolAddress{},
	}
	for _, i := range m.c.Instances {
		if i.Param.PgbouncerEnabled {
			o.Pools[i.Name] = postgres.PoolAddress{Host: i.Node.Addr, Port: i.Param.PgbouncerPort}
		}
	}
	if m.p.PgbouncerEnabled {
		o.Console = &postgres.Conn{Socket: m.p.PgLocalhost, Port: m.p.PgbouncerPort, User: m.p.PgDbsu}
	}
	if m.p.HaproxyEnabled {
		o.HAProxy, o.Services = haproxy.Socket, m.pooledServices()
	}
	if m.c.HasVIP() {
		o.VIP = m.c.Param.VipAddress
	}
	return o
}

// leadsToPool tells whether a service leads to pools.
func (m *member) leadsToPool(s *model.Service) bool {
	return s.Target == m.c.Param.PgbouncerPort && s.Check.Port == m.c.Param.PatroniPort
}

func (m *member) pooledServices() []postgres.PooledService {
	var out []postgres.PooledService
	for _, s := range m.c.Services {
		if m.leadsToPool(s) {
			path, _, _ := strings.Cut(s.Check.Path, "?")
			out = append(out, postgres.PooledService{
				Backend: s.Name, Leader: slices.Contains(leaderChecks, path), Replicas: slices.Contains(replicaChecks, path),
			})
		}
	}
	return out
}

// noHandover mends what a handover that was killed has left behind.
func (m *member) noHandover() {
	if m.p.PgbouncerEnabled {
		m.branch = "pgsql/pgbouncer"
		m.add(&postgres.NoHandover{Cluster: m.c.Name})
	}
}

// aides are the parts of the other members' nodes in a handover from this one.
func (m *member) aides() map[string]resource.Aide {
	aides := map[string]resource.Aide{}
	for _, i := range m.c.Instances {
		if i != m.i && i.Node.Known {
			other := &member{d: m.d, c: m.c, i: i, p: i.Param}
			aides[i.Node.Addr] = other.handover()
		}
	}
	return aides
}
