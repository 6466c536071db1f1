package etcd

import (
	"pigsty/internal/model"
	"pigsty/internal/resource"
	"pigsty/internal/resource/etcd"
)

// api is how a node reaches the cluster: its own member first.
func (c *compiler) api(m *model.EtcdMember) etcd.API {
	api := c.credentials()
	api.Endpoints = []string{clientURL("127.0.0.1")}
	for _, other := range c.etcd.Members {
		if other != m {
			api.Endpoints = append(api.Endpoints, clientURL(other.Addr))
		}
	}
	return api
}

func (c *compiler) credentials() etcd.API {
	return etcd.API{CA: caFile, Cert: certFile, Key: keyFile, Password: c.etcd.Param.EtcdRootPassword}
}

// join brings a node without data into the running cluster.
func (c *compiler) join(m *model.EtcdMember) resource.Resource {
	j := &etcd.Join{
		Member: m.Name, PeerURL: peerURL(m), Cluster: c.etcd.Name,
		Data: c.etcd.Param.EtcdDataDir, Path: initialFile, API: c.credentials(),
	}
	for _, other := range c.members(true) {
		j.Peers = append(j.Peers, peerURL(other))
		j.API.Endpoints = append(j.API.Endpoints, clientURL(other.Addr))
	}
	return j
}

// leave takes unlisted members out, in the round before newcomers join or in the one after.
func (c *compiler) leave(deadOnly bool) resource.Resource {
	keeper := c.etcd.Keeper()
	l := &etcd.Leave{DeadOnly: deadOnly, Safeguard: c.etcd.Param.DcsSafeguard, API: c.api(keeper.Etcd)}
	for _, m := range c.etcd.Members {
		l.Listed = append(l.Listed, peerURL(m))
	}
	return l
}

// retire puts away what a former member has left on its node.
func (c *compiler) retire(n *model.Node) resource.Resource {
	r := &etcd.Retire{
		Unit: unit, PeerURL: peerURL(&model.EtcdMember{Addr: n.Addr}), ClientURL: clientURL(n.Addr), Data: n.Dcs.EtcdDataDir,
		Safeguard: c.etcd.Param.DcsSafeguard, API: c.credentials(),
	}
	for _, m := range c.etcd.Members {
		r.API.Endpoints = append(r.API.Endpoints, clientURL(m.Addr))
	}
	return r
}

// giveAccess lists the accounts. A run that is limited to a PostgreSQL cluster takes it along: a new one
// elects nobody without its account.
func (c *compiler) giveAccess(keeper *model.Node) {
	step := c.add(keeper, c.access())
	for _, pg := range c.d.Pg {
		for _, i := range pg.Instances {
			if pg.Etcd == c.etcd && i.Node != keeper {
				step.About = append(step.About, i.Node.Addr)
			}
		}
	}
}

// access is user root, and a user for each PostgreSQL cluster that elects its leader here.
func (c *compiler) access() resource.Resource {
	a := &etcd.Access{Store: c.etcd.Name, API: c.api(c.etcd.Keeper().Etcd)}
	for _, pg := range c.d.Pg {
		if pg.Etcd == c.etcd && pg.Param.PgDcsType == "etcd" {
			a.Users = append(a.Users, etcd.User{Name: pg.EtcdUser(), Password: pg.EtcdPassword(c.d), Prefix: pg.EtcdPrefix()})
		}
	}
	return a
}
