package model

import (
	"slices"
	"strconv"
	"strings"

	"github.com/jmespath/go-jmespath"
	"go.yaml.in/yaml/v4"

	"pigsty/internal/param"
)

// addServices resolves the selectors of pg_services and pg_services_extra over the members'
// variables, as v1.5 does: JMESPath over the list of members.
func (b *builder) addServices(c *PgCluster) {
	members := make([]any, len(c.Instances))
	for k, i := range c.Instances {
		members[k] = i.selectable()
	}
	ports := map[int]string{}
	for _, variable := range []string{"pg_services", "pg_services_extra"} {
		list := c.Param.PgServices
		if variable == "pg_services_extra" {
			list = c.Param.PgServicesExtra
		}
		for _, p := range list {
			pos := at(c.Primary().Node, variable)
			if other := ports[p.SrcPort]; other != "" {
				b.problems.Errorf(pos, "services %s and %s of cluster %s both listen on port %d", other, p.Name, c.Name, p.SrcPort).
					Hint = "give each service a src_port of its own"
				continue
			}
			ports[p.SrcPort] = p.Name
			s, err := c.service(p, members)
			if err != nil {
				b.problems.Errorf(pos, "service %s of cluster %s: %v", p.Name, c.Name, err).Hint = "see docs/services.md for selectors"
				continue
			}
			c.Services = append(c.Services, s)
		}
	}
}

// selectable is what a selector sees of an instance: its variables, defaults included, and ip.
func (i *PgInstance) selectable() map[string]any {
	m := map[string]any{
		"ip":               i.Node.Addr,
		"pg_cluster":       i.Cluster.Name,
		"pg_seq":           float64(i.Seq),
		"pg_role":          i.Role,
		"pg_offline_query": i.Param.PgOfflineQuery,
		"pg_weight":        float64(i.Param.PgWeight),
	}
	for name, v := range i.Node.Vars {
		var value any
		if _, typed := m[name]; !typed && v.Node != nil && v.Node.Kind == yaml.ScalarNode && v.Node.Decode(&value) == nil {
			m[name] = jsonNumber(value)
		}
	}
	return m
}

// jsonNumber gives integers the type that JMESPath compares.
func jsonNumber(value any) any {
	if n, ok := value.(int); ok {
		return float64(n)
	}
	return value
}

func (c *PgCluster) service(p param.Service, members []any) (*Service, error) {
	s := &Service{
		Name: c.Name + "-" + p.Name, Bind: p.SrcIp, Port: p.SrcPort, Param: p,
		Target: c.port(p.DstPort, map[string]int{"postgres": c.Param.PgPort, "pgbouncer": c.Param.PgbouncerPort}),
		Check: ServiceCheck{
			Port: c.port(p.CheckPort, map[string]int{"patroni": c.Param.PatroniPort, "pg_exporter": 9630}),
			Path: p.CheckUrl, Code: p.CheckCode,
		},
	}
	if s.Bind == "vip" {
		s.Bind = c.Param.VipAddress
	}
	chosen, err := c.selected(p.Selector, members)
	if err != nil {
		return nil, err
	}
	backup, err := c.selected(p.SelectorBackup, members)
	if err != nil {
		return nil, err
	}
	for _, i := range c.Instances {
		isBackup := slices.Contains(backup, i)
		if isBackup || slices.Contains(chosen, i) {
			s.Servers = append(s.Servers, ServiceServer{Instance: i, Weight: i.Param.PgWeight, Backup: isBackup})
		}
	}
	s.followLeader(c)
	return s, nil
}

// replicaChecks are Patroni's checks that replicas pass, and what asks the same of replicas alone,
// where the leader passes as well.
var replicaChecks = map[string]string{
	"/read-only": "/replica", "/read-only-sync": "/sync", "/read-only-synchronous": "/sync", "/read-only-quorum": "/quorum",
	"/replica": "/replica", "/sync": "/sync", "/synchronous": "/sync", "/quorum": "/quorum",
	"/async": "/async", "/asynchronous": "/async",
}

// healthy is the answer by which Patroni says that a member is what was asked for.
const healthy = 200

// followLeader makes the declared primary a backup in what it does, not in who it is: a service for
// replicas whose backup is the primary means whoever leads, and selectors know only who was declared
// to. So every member serves as the replica that it may be, and as a backup while it leads.
func (s *Service) followLeader(c *PgCluster) {
	path, query, _ := strings.Cut(s.Check.Path, "?")
	replica, known := replicaChecks[path]
	declared := slices.IndexFunc(s.Servers, func(to ServiceServer) bool { return to.Backup && to.Instance == c.Primary() })
	if !known || s.Check.Port != c.Param.PatroniPort || s.Check.Code != healthy || declared < 0 || len(s.Servers) < 2 {
		return
	}
	s.Check.Path = replica
	if query != "" {
		s.Check.Path += "?" + query
	}
	s.Servers[declared].Backup = false
	// HAProxy takes the first backup that is up: the leader comes before those of other selectors.
	var servers, others []ServiceServer
	for _, to := range s.Servers {
		if to.Backup {
			others = append(others, to)
		} else {
			servers = append(servers, to)
		}
	}
	for _, i := range c.Instances {
		servers = append(servers, ServiceServer{Instance: i, Weight: i.Param.PgWeight, Backup: true, Leads: true})
	}
	s.Servers = append(servers, others...)
}

// port resolves a well-known name or a number; param has made sure that it is one of them.
func (c *PgCluster) port(value string, names map[string]int) int {
	if port, ok := names[value]; ok {
		return port
	}
	port, err := strconv.Atoi(value)
	if err != nil {
		return 0
	}
	return port
}

func (c *PgCluster) selected(selector string, members []any) ([]*PgInstance, error) {
	if selector == "" {
		return nil, nil
	}
	result, err := jmespath.Search(selector, members)
	if err != nil {
		return nil, err
	}
	list, _ := result.([]any)
	var chosen []*PgInstance
	for _, item := range list {
		member, _ := item.(map[string]any)
		for _, i := range c.Instances {
			if member["ip"] == i.Node.Addr {
				chosen = append(chosen, i)
			}
		}
	}
	return chosen, nil
}
