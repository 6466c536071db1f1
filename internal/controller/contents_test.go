package controller

import (
	"slices"
	"testing"

	"pigsty/internal/hba"
	"pigsty/internal/inspect"
)

func TestServing(t *testing.T) {
	server := func(name, status string, weight int, backup bool) inspect.Server {
		return inspect.Server{Service: "s", Server: name, Status: status, Weight: weight, Backup: backup}
	}
	for name, c := range map[string]struct {
		servers []inspect.Server
		want    []string
	}{
		"all that are up":      {[]inspect.Server{server("a", "up", 1, false), server("b", "up 1/3", 1, false), server("c", "down", 1, false)}, []string{"a", "b"}},
		"no weight, no load":   {[]inspect.Server{server("a", "up", 0, false), server("b", "no check", 1, false)}, []string{"b"}},
		"backups wait":         {[]inspect.Server{server("a", "up", 1, true), server("b", "up", 1, false)}, []string{"b"}},
		"one backup steps in":  {[]inspect.Server{server("a", "up", 1, true), server("b", "drain", 1, false), server("c", "up", 1, true)}, []string{"a"}},
		"nobody":               {[]inspect.Server{server("a", "maint", 1, false)}, nil},
		"others' services not": {[]inspect.Server{{Service: "x", Server: "a", Status: "up", Weight: 1}}, nil},
	} {
		if got := serving(c.servers, "s"); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestDecideLooksUpMemberships(t *testing.T) {
	r := &Rules{
		Instance: "pg-1",
		roles:    []inspect.Role{{Name: "app", Login: true, Roles: []string{"team"}}, {Name: "team", Roles: []string{"readers"}}, {Name: "readers"}},
	}
	for _, rule := range hba.Parse("host all +readers 10.0.0.0/8 scram-sha-256\nhost all all 10.0.0.0/8 reject\n") {
		r.Server = append(r.Server, Rule{Rule: rule})
	}
	for name, c := range map[string]struct {
		login   Login
		refused bool
		line    int
	}{
		"by two memberships": {Login{User: "app", Database: "d", Addr: "10.1.1.1"}, false, 1},
		"a stranger":         {Login{User: "other", Database: "d", Addr: "10.1.1.1"}, true, 2},
		"from nowhere":       {Login{User: "app", Database: "d", Addr: "192.0.2.1"}, true, 0},
	} {
		v, err := r.Decide(c.login)
		line := 0
		if err == nil && v.Rule != nil {
			line = v.Rule.Line
		}
		if err != nil || v.Refused != c.refused || line != c.line {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	for _, l := range []Login{{User: "a", Database: "d", Addr: "nonsense"}, {User: "a", Database: "d", Addr: "local", TLS: true}} {
		if _, err := r.Decide(l); err == nil {
			t.Errorf("%+v was decided", l)
		}
	}
}
