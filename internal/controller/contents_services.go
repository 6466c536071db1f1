package controller

import (
	"context"
	"slices"

	"pigsty/internal/haproxy"
	"pigsty/internal/inspect"
	"pigsty/internal/model"
)

// Services are the services of a cluster and where each leads right now, as the HAProxy of each
// member tells.
type Services struct {
	Cluster  *model.PgCluster `json:"-"`
	Name     string           `json:"cluster"`
	VIP      string           `json:"vip,omitempty"`
	Services []Service        `json:"services"`
	Notes    []string         `json:"notes,omitempty"`
}

// Service is one service.
type Service struct {
	Name    string          `json:"name"`
	Port    int             `json:"port"`
	Target  int             `json:"target"` // port on the servers
	Servers []ServiceServer `json:"servers"`
	// Missing are members whose HAProxy answers and does not have it.
	Missing []string `json:"missing,omitempty"`
}

// ServiceServer is an instance behind a service.
type ServiceServer struct {
	Instance string       `json:"instance"`
	Backup   bool         `json:"backup,omitempty"`
	Weight   int          `json:"weight"`
	Views    []ServerView `json:"views"` // by member whose HAProxy answers
	// Serves says that new connections go here, by all views; Sessions are those of all of them.
	Serves   bool `json:"serves"`
	Sessions int  `json:"sessions"`
}

// ServerView is how the HAProxy of one member sees an instance.
type ServerView struct {
	From     string `json:"from"`
	Status   string `json:"status"`
	Check    string `json:"check,omitempty"`
	Since    int    `json:"since"` // seconds
	Sessions int    `json:"sessions"`
}

// Services asks every member of a cluster where its services lead.
func (s *Site) Services(ctx context.Context, cluster string, dial Dialer) (*Services, error) {
	all, err := s.inspect(ctx, cluster, dial, func(i *model.PgInstance, q *inspect.Query) {
		*q = inspect.Query{}
		if i.Param.HaproxyEnabled {
			q.Stats = haproxy.Socket
		}
	})
	if err != nil {
		return nil, err
	}
	c := all.cluster
	report := &Services{Cluster: c, Name: c.Name, Notes: all.notes}
	if c.HasVIP() {
		report.VIP = c.Param.VipAddress
	}
	for _, service := range c.Services {
		report.Services = append(report.Services, all.service(service))
	}
	return report, nil
}

// service puts together what the members say of one service.
func (c *contents) service(wanted *model.Service) Service {
	s := Service{Name: wanted.Name, Port: wanted.Port, Target: wanted.Target}
	for _, from := range c.cluster.Instances {
		answer := c.answers[from.Name]
		if answer == nil || answer.ServersError != "" || !from.Param.HaproxyEnabled {
			continue
		}
		serves := serving(answer.Servers, wanted.Name)
		found := false
		for _, seen := range answer.Servers {
			if seen.Service == wanted.Name {
				found = true
				s.add(from.Name, seen, slices.Contains(serves, seen.Server))
			}
		}
		if !found {
			s.Missing = append(s.Missing, from.Name)
		}
	}
	return s
}

// serving are the servers of a service that new connections go to: those that are up, or the first
// of the backups that is when no other does. A weight of 0 takes none.
func serving(servers []inspect.Server, service string) []string {
	var names, backups []string
	for _, s := range servers {
		if s.Service != service || !up(s.Status) || s.Weight == 0 {
			continue
		}
		if s.Backup {
			backups = append(backups, s.Server)
		} else {
			names = append(names, s.Server)
		}
	}
	if len(names) == 0 && len(backups) > 0 {
		return backups[:1]
	}
	return names
}

// up tells whether a server takes connections: also one that nobody checks, and one that fails
// checks but not enough of them yet, such as "up 2/3".
func up(status string) bool {
	return status == "no check" || len(status) >= 2 && status[:2] == "up"
}

// add takes in how one member sees a server.
func (s *Service) add(from string, seen inspect.Server, serves bool) {
	n := slices.IndexFunc(s.Servers, func(o ServiceServer) bool { return o.Instance == seen.Server })
	if n < 0 {
		s.Servers = append(s.Servers, ServiceServer{Instance: seen.Server, Backup: seen.Backup, Weight: seen.Weight, Serves: true})
		n = len(s.Servers) - 1
	}
	server := &s.Servers[n]
	server.Views = append(server.Views, ServerView{From: from, Status: seen.Status, Check: seen.Check, Since: seen.Since, Sessions: seen.Sessions})
	server.Serves = server.Serves && serves
	server.Sessions += seen.Sessions
}
