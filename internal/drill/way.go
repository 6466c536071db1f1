package drill

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/ledger"
	"pigsty/internal/model"
)

// way is one way into the cluster: a service, at one of the addresses that clients can use.
type way struct {
	service *model.Service
	pool    bool
	read    bool
	through string // the instance whose balancer it is, or "virtual address"
	host    string
	login   login
}

// leaderChecks are the questions to Patroni that the leader alone says yes to.
var leaderChecks = map[string]bool{"/": true, "/primary": true, "/master": true, "/leader": true, "/read-write": true}

// readChecks are those that replicas say yes to as well.
func readCheck(path string) bool {
	path, _, _ = strings.Cut(path, "?")
	return path == "/read-only" || path == "/replica"
}

// waysInto are the ways to the leader of a cluster, by every service that leads there, and those of
// the first service for reads; each through the virtual address and through every member.
func waysInto(c *model.PgCluster, l logins) []way {
	var ways []way
	reads := false
	for _, s := range c.Services {
		w := way{service: s, pool: s.Target == c.Param.PgbouncerPort, login: l.admin}
		switch {
		case leaderChecks[s.Check.Path]:
		case readCheck(s.Check.Path) && !reads:
			w.read = true
		default:
			continue
		}
		if w.pool {
			if l.pool == nil {
				continue
			}
			w.login = *l.pool
		}
		reads = reads || w.read
		ways = append(ways, w.addresses(c)...)
	}
	return ways
}

// addresses is the way at each address that it can be entered by.
func (w way) addresses(c *model.PgCluster) []way {
	var all []way
	add := func(through, host string) {
		w.through, w.host = through, host
		all = append(all, w)
	}
	vip := c.Param.VipAddress
	if c.HasVIP() && (listensEverywhere(w.service) || w.service.Bind == vip) {
		add("virtual address", vip)
	}
	for _, i := range c.Instances {
		if i.Param.HaproxyEnabled && (listensEverywhere(w.service) || w.service.Bind == i.Node.Addr) {
			add(i.Name, i.Node.Addr)
		}
	}
	return all
}

// name is the way for people.
func (w way) name() string {
	return fmt.Sprintf("%d through %s", w.service.Port, w.through)
}

// client is who uses the way.
func (w way) client(database string) ledger.Client {
	return ledger.Client{Name: w.name(), Read: w.read, Targets: []*pgx.ConnConfig{w.login.at(w.host, w.service.Port, database)}}
}
