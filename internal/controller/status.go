package controller

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"pigsty/internal/health"
	"pigsty/internal/model"
)

// Status is how a site is right now, as its nodes tell.
type Status struct {
	Nodes    []NodeStatus    `json:"nodes"`
	Etcd     []EtcdStatus    `json:"etcd,omitempty"`
	Clusters []ClusterStatus `json:"clusters,omitempty"`
}

// NodeStatus is one machine; Error says why it could not be asked.
type NodeStatus struct {
	Addr   string       `json:"addr"`
	Name   string       `json:"name"`
	Error  string       `json:"error,omitempty"`
	CPUs   int          `json:"cpus,omitempty"`
	System string       `json:"system,omitempty"`
	Health *health.Node `json:"health,omitempty"`
}

// EtcdStatus is one member of the DCS.
type EtcdStatus struct {
	Name  string `json:"name"`
	Addr  string `json:"addr"`
	State string `json:"state"` // leader, follower, unhealthy, down, unknown
}

// ClusterStatus is one PostgreSQL cluster as the first of its members that answers sees it.
type ClusterStatus struct {
	Name      string `json:"name"`
	Paused    bool   `json:"paused,omitempty"`
	VIP       string `json:"vip,omitempty"`
	VIPHolder string `json:"vip_holder,omitempty"` // name of the instance whose node has it
	// VIPAlso are others that have the address as well, which must not be.
	VIPAlso  []string        `json:"vip_also,omitempty"`
	Members  []health.Member `json:"members,omitempty"`
	Missing  []string        `json:"missing,omitempty"` // instances the inventory wants and Patroni does not know
	Services []ServiceStatus `json:"services,omitempty"`
}

// ServiceStatus is one service: where it listens, and on how many of the members that answer.
type ServiceStatus struct {
	Name string `json:"name"`
	Port int    `json:"port"`
	Open int    `json:"open"` // members on which the port accepts connections
	Of   int    `json:"of"`
}

// Status asks all nodes, or those of a limit pattern, how they are.
func (s *Site) Status(ctx context.Context, limit string, dial Dialer) (*Status, error) {
	chosen, err := s.chosen(limit)
	if err != nil {
		return nil, err
	}
	nodes := s.related(chosen)
	status, answers := s.ask(ctx, nodes, dial)
	status.Etcd = s.etcdStatus(answers)
	for _, c := range s.Deployment.Pg {
		if limit == "" || c.HasAny(chosen) {
			status.Clusters = append(status.Clusters, clusterStatus(c, answers))
		}
	}
	return status, nil
}

// Clusters asks the nodes of the named clusters, and no others, how they are; those of all
// clusters when there is no name. The DCS is not in the answer.
func (s *Site) Clusters(ctx context.Context, names []string, dial Dialer) (*Status, error) {
	clusters, err := s.clusters(names)
	if err != nil {
		return nil, err
	}
	var nodes []*model.Node
	for _, c := range clusters {
		nodes = append(nodes, members(c)...)
	}
	status, answers := s.ask(ctx, nodes, dial)
	for _, c := range clusters {
		status.Clusters = append(status.Clusters, clusterStatus(c, answers))
	}
	return status, nil
}

// clusters finds clusters by their names or those of their instances; all when there is no name.
func (s *Site) clusters(names []string) ([]*model.PgCluster, error) {
	if len(names) == 0 {
		return s.Deployment.Pg, nil
	}
	var clusters []*model.PgCluster
	for _, name := range names {
		c, err := s.cluster(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(clusters, c) {
			clusters = append(clusters, c)
		}
	}
	return clusters, nil
}

// ask asks nodes how they are; what they say is under their addresses.
func (s *Site) ask(ctx context.Context, nodes []*model.Node, dial Dialer) (*Status, map[string]*health.Node) {
	fleet := s.Connect(ctx, nodes, dial)
	defer fleet.Leave()
	answers := fleet.health(ctx, nodes, func(n *model.Node) health.Query {
		q := healthQuery(n)
		needed, optional := s.Deployment.MonitorUnits(n)
		q.Units, q.Optional = append(q.Units, needed...), optional
		return q
	})
	status := &Status{}
	for _, n := range nodes {
		status.Nodes = append(status.Nodes, nodeStatus(n, answers[n.Addr], fleet.Lost[n.Addr]))
	}
	return status, answers
}

// health asks every connected node at once. A node that fails is lost.
func (f *Fleet) health(ctx context.Context, nodes []*model.Node, query func(*model.Node) health.Query) map[string]*health.Node {
	answers := map[string]*health.Node{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, n := range nodes {
		session := f.Sessions[n.Addr]
		if session == nil {
			continue
		}
		group.Go(func() {
			answer, err := session.Health(ctx, query(n))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				f.Lost[n.Addr] = err
				return
			}
			answers[n.Addr] = &answer
		})
	}
	group.Wait()
	return answers
}

func healthQuery(n *model.Node) health.Query {
	q := health.Query{DataDir: n.Param.NodeDataDir}
	if n.Etcd != nil {
		q.Units = append(q.Units, "etcd.service")
		q.EtcdMetrics = fmt.Sprintf("http://127.0.0.1:%d", model.EtcdMetricsPort)
	}
	if n.Pg == nil {
		return q
	}
	p := n.Pg.Param
	q.Units = append(q.Units, "patroni.service")
	q.PatroniPort = p.PatroniPort
	if p.PgbouncerEnabled {
		q.Units = append(q.Units, "pgbouncer.service")
	}
	if p.HaproxyEnabled {
		q.Units = append(q.Units, "haproxy.service")
	}
	if n.Pg.Cluster.HasVIP() {
		q.Units, q.VIP = append(q.Units, n.Pg.Cluster.VIPUnit()), p.VipAddress
	}
	for _, s := range n.Pg.Cluster.Services {
		q.Ports = append(q.Ports, s.Port)
	}
	return q
}

func nodeStatus(n *model.Node, answer *health.Node, lost error) NodeStatus {
	s := NodeStatus{Addr: n.Addr, Name: n.Name, Health: answer}
	if lost != nil {
		s.Error = lost.Error()
		return s
	}
	s.CPUs = n.Facts.CPUs
	s.System = fmt.Sprintf("%s %d", n.Facts.OS, n.Facts.Release)
	return s
}

func (s *Site) etcdStatus(answers map[string]*health.Node) []EtcdStatus {
	if s.Deployment.Etcd == nil {
		return nil
	}
	var all []EtcdStatus
	for _, m := range s.Deployment.Etcd.Members {
		all = append(all, EtcdStatus{Name: m.Name, Addr: m.Addr, State: etcdState(answers[m.Addr])})
	}
	return all
}

func etcdState(n *health.Node) string {
	switch {
	case n == nil:
		return "unknown"
	case n.Etcd == nil:
		return "down"
	case !n.Etcd.Healthy:
		return "unhealthy"
	case n.Etcd.Leader:
		return "leader"
	}
	return "follower"
}

func clusterStatus(c *model.PgCluster, answers map[string]*health.Node) ClusterStatus {
	s := ClusterStatus{Name: c.Name}
	if c.HasVIP() {
		s.VIP = c.Param.VipAddress
	}
	for _, service := range c.Services {
		s.Services = append(s.Services, serviceStatus(c, service, answers))
	}
	for _, i := range c.Instances {
		answer := answers[i.Node.Addr]
		if answer == nil {
			continue
		}
		if s.Members == nil {
			s.Members, s.Paused = answer.Members, answer.Paused
		}
		switch {
		case !answer.HasVIP:
		case s.VIPHolder == "":
			s.VIPHolder = i.Name
		default:
			s.VIPAlso = append(s.VIPAlso, i.Name)
		}
	}
	s.Members = slices.DeleteFunc(slices.Clone(s.Members), func(m health.Member) bool { return gone(c, m) })
	for _, i := range c.Instances {
		n := slices.IndexFunc(s.Members, func(m health.Member) bool { return m.Name == i.Name })
		if n < 0 {
			s.Missing = append(s.Missing, i.Name)
			continue
		}
		if answer := answers[i.Node.Addr]; answer != nil && answer.Own != nil {
			s.Members[n].Refresh(*answer.Own)
		}
	}
	return s
}

// gone tells of a member that was stopped and taken off the inventory: Patroni forgets it when
// its key in the DCS expires, half a minute later.
func gone(c *model.PgCluster, m health.Member) bool {
	wanted := slices.ContainsFunc(c.Instances, func(i *model.PgInstance) bool { return i.Name == m.Name })
	return !wanted && m.State == "stopped"
}

func serviceStatus(c *model.PgCluster, service *model.Service, answers map[string]*health.Node) ServiceStatus {
	s := ServiceStatus{Name: service.Name, Port: service.Port}
	for _, i := range c.Instances {
		answer := answers[i.Node.Addr]
		if answer == nil {
			continue
		}
		s.Of++
		for _, port := range answer.OpenPorts {
			if port == service.Port {
				s.Open++
			}
		}
	}
	return s
}

// HasLeader tells whether somebody leads the cluster.
func (c *ClusterStatus) HasLeader() bool { return slices.ContainsFunc(c.Members, health.Member.Leads) }

// Healthy is true when every node answers, every unit runs, etcd and every cluster are whole.
func (s *Status) Healthy() bool {
	for _, n := range s.Nodes {
		if n.Health == nil {
			return false
		}
		for _, state := range n.Health.Units {
			if state != "active" {
				return false
			}
		}
	}
	for _, e := range s.Etcd {
		if e.State != "leader" && e.State != "follower" {
			return false
		}
	}
	for _, c := range s.Clusters {
		if !c.healthy() {
			return false
		}
	}
	return true
}

func (c *ClusterStatus) healthy() bool {
	leaders := 0
	for _, m := range c.Members {
		if m.Leads() {
			leaders++
		}
		if !m.Works() {
			return false
		}
	}
	for _, s := range c.Services {
		if s.Open < s.Of {
			return false
		}
	}
	return leaders == 1 && len(c.Missing) == 0 && (c.VIP == "" || c.VIPHolder != "" && len(c.VIPAlso) == 0)
}
