package pgsql_test

import (
	"slices"
	"strings"
	"testing"

	"pigsty/internal/fact"
	"pigsty/internal/model"
	"pigsty/internal/module/pgsql"
	"pigsty/internal/resource"
)

// vipSteps are the units of the trio's virtual address, and its keepalived's files, by node.
func vipSteps(t *testing.T, change func(*model.Deployment)) (units map[string]bool, configs map[string]string) {
	d := deployment(t, "trio")
	change(d)
	units, configs = map[string]bool{}, map[string]string{}
	for _, s := range pgsql.Compile(d) {
		switch r := s.Resource.(type) {
		case *resource.Unit:
			if slices.Contains([]string{model.VIPManagerUnit, model.KeepalivedUnit}, r.Unit) {
				units[s.Node+" "+r.Unit] = !r.Stopped
			}
		case *resource.File:
			if strings.HasPrefix(r.Path, "/etc/keepalived/") {
				configs[s.Node+r.Path] = r.Content
			}
		}
	}
	return units, configs
}

// Two programs that each put the address somewhere would give it to two members: all members of
// a cluster use the same one, also where their systems differ.
func TestOneProgramHoldsTheAddress(t *testing.T) {
	for _, old := range []int{0, 1, 3} {
		units, configs := vipSteps(t, func(d *model.Deployment) {
			for _, i := range d.Pg[0].Instances[:old] {
				i.Node.Facts.Release = 12
			}
		})
		keepalived := old > 0
		for unit, runs := range units {
			if want := strings.HasSuffix(unit, model.KeepalivedUnit) == keepalived; runs != want {
				t.Errorf("%d members with Debian 12: %s runs: %v", old, unit, runs)
			}
		}
		if len(units) != 6 || (len(configs) > 0) != keepalived {
			t.Errorf("%d members with Debian 12: units %v, %d files", old, units, len(configs))
		}
	}
}

// Members must agree on what tells clusters apart, and each talks to the others alone.
func TestKeepalivedPeersAgree(t *testing.T) {
	_, configs := vipSteps(t, func(d *model.Deployment) {
		for _, i := range d.Pg[0].Instances {
			i.Node.Facts.Release = 12
		}
	})
	line := func(addr, file, word string) string {
		for text := range strings.Lines(configs[addr+"/etc/keepalived/"+file]) {
			if text = strings.TrimSpace(text); strings.HasPrefix(text, word+" ") {
				return text
			}
		}
		t.Errorf("%s of %s has no %s", file, addr, word)
		return ""
	}
	const first, second = "10.10.10.11", "10.10.10.12"
	if a, b := line(first, "pigsty.conf", "virtual_router_id"), line(second, "pigsty.conf", "virtual_router_id"); a != b {
		t.Errorf("%s and %s", a, b)
	}
	if a, b := line(first, "pigsty-auth.conf", "auth_pass"), line(second, "pigsty-auth.conf", "auth_pass"); a != b {
		t.Error("members have different words")
	}
	_, peers, _ := strings.Cut(configs[first+"/etc/keepalived/pigsty.conf"], "unicast_peer {")
	peers, _, _ = strings.Cut(peers, "}")
	if got := strings.Fields(peers); !slices.Equal(got, []string{second, "10.10.10.13"}) {
		t.Errorf("peers of %s: %q", first, got)
	}
}

// A cluster that follows another has a leader that is no primary, and it has the address.
func TestKeepalivedOfAStandbyCluster(t *testing.T) {
	_, configs := vipSteps(t, func(d *model.Deployment) {
		d.Pg[0].Upstream = &model.Upstream{Hosts: []string{"192.0.2.1"}, Port: 5432}
		d.Pg[0].Instances[0].Node.Facts = fact.Node{Release: 12}
	})
	for path, text := range configs {
		if strings.HasSuffix(path, "pigsty.conf") && !strings.Contains(text, ":8008/leader\"") {
			t.Errorf("%s asks another question:\n%s", path, text)
		}
	}
}
