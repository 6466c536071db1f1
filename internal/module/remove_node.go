package module

import (
	"fmt"
	"slices"
	"strings"

	"pigsty/internal/model"
	"pigsty/internal/module/etcd"
	"pigsty/internal/module/infra"
	"pigsty/internal/module/node"
	"pigsty/internal/module/pgsql"
	"pigsty/internal/register"
	"pigsty/internal/resource"
)

// NodeRemoval says how a node is taken out.
type NodeRemoval struct {
	SkipUnreachable bool // a node that cannot be reached is gone for good
	Now             bool // delete the data of its etcd member, which dcs_clean has to allow
}

// RemoveNode lists what takes a node out of the deployment: its member out of etcd, then what an
// apply has put on it for the deployment's sake. What makes it a machine that one can log in to
// and work on stays: accounts, packages, the clock, the kernel's settings, trust in the authority.
func RemoveNode(d *model.Deployment, addr string, how NodeRemoval) ([]resource.Step, error) {
	n := d.Node(addr)
	switch {
	case n == nil:
		return nil, fmt.Errorf("the inventory has no node %s", addr)
	case n.Pg != nil && (n.Facts.PgData || n.Facts.Patroni != nil):
		return nil, fmt.Errorf("%s carries %s: remove that first (pigsty remove instance %s, or remove cluster %s)", addr, n.Pg.Name, n.Pg.Name, n.Pg.Cluster.Name)
	case !n.Known && !how.SkipUnreachable:
		return nil, fmt.Errorf("%s cannot be reached: mend that, or say --skip-unreachable when it is gone for good", addr)
	}
	wanted := stepsOn(etcd.Compile(d), addr)
	unregister := register.Removal(d, "node", node.Targets(n)...)
	if n.Etcd != nil {
		unregister = append(unregister, register.Removal(d, "etcd", etcd.Targets(n.Etcd)...)...)
	}
	if n.Meta != nil {
		unregister = append(unregister, register.Removal(d, "infra", infra.Targets(n)...)...)
	}
	leaving, err := leaveStore(d, n, how)
	if err != nil {
		return nil, err
	}
	leaving = append(leaving, unregister...)
	if !n.Known {
		return leaving, nil
	}
	anything := func(path string) bool {
		return !slices.ContainsFunc(leaving, func(s resource.Step) bool { return s.Ref().ID == "file:"+path })
	}
	steps := leaving
	needed, optional := d.MonitorUnits(n)
	for _, unit := range append(needed, optional...) {
		steps = append(steps, resource.Step{Node: addr, Module: "node", Resource: &resource.Unit{Unit: unit, Stopped: true, Disabled: true}})
	}
	steps = append(steps, absent(wanted, "etcd", anything)...)
	steps = append(steps, absent(stepsOn(node.Compile(d), addr), "", ofDeployment)...)
	steps = append(steps, absent(stepsOn(infra.Compile(d), addr), "", infra.Removable)...)
	add := func(r resource.Resource) {
		steps = append(steps, resource.Step{Node: addr, Module: "node", Resource: r})
	}
	add(&resource.UnitFilesRead{})
	add(&resource.NoOwnFiles{Timer: pgsql.ExpireTimer, Files: pgsql.ExpireFiles})
	return steps, nil
}

func stepsOn(steps []resource.Step, addr string) []resource.Step {
	return slices.DeleteFunc(steps, func(s resource.Step) bool { return s.Node != addr })
}

// leaveStore lists how the node's member leaves etcd, as an apply does it when dcs_servers lists it
// no more: another member removes it, where a majority stays, and its data are set aside.
func leaveStore(d *model.Deployment, n *model.Node, how NodeRemoval) ([]resource.Step, error) {
	if d.Etcd == nil || n.Etcd == nil && !n.Facts.EtcdData {
		return nil, nil
	}
	switch {
	case len(d.Etcd.Members) == 1 && n.Etcd != nil:
		return nil, fmt.Errorf("%s has the only member of etcd, and no cluster could elect a leader without it", n.Addr)
	case n.Known && n.Dcs.DcsSafeguard:
		return nil, fmt.Errorf("%s is a member of etcd, and protected by dcs_safeguard; to remove it all the same, say -e dcs_safeguard=false", n.Addr)
	case how.Now && !n.Dcs.DcsClean:
		return nil, fmt.Errorf("the etcd data of %s are not deleted at once: dcs_clean is false; leave out --now to set them aside, or say -e dcs_clean=true", n.Addr)
	}
	rest := slices.DeleteFunc(slices.Clone(d.Etcd.Members), func(m *model.EtcdMember) bool { return m == n.Etcd })
	d.Etcd.Members, n.Etcd = rest, nil
	keeper := d.Etcd.Keeper()
	if keeper == nil || !keeper.Known {
		return nil, fmt.Errorf("no other member of etcd can be reached, and only such a one can let that of %s go", n.Addr)
	}
	var steps []resource.Step
	leave := etcd.LeaveRef(d.Etcd)
	for _, s := range etcd.Compile(d) {
		if s.Ref() == leave || s.Node == n.Addr {
			steps = append(steps, s)
		}
	}
	if how.Now && n.Known {
		steps = append(steps, resource.Step{
			Node: n.Addr, Module: "etcd", Branch: "etcd", Resource: &resource.DestroyAside{What: resource.AsideEtcd, Item: n.Addr},
		})
	}
	return withoutLooseEnds(steps), nil
}

// absent lists the absence of files and lines that steps make, where they are to go.
func absent(wanted []resource.Step, branch string, goes func(path string) bool) []resource.Step {
	var steps []resource.Step
	for _, s := range wanted {
		add := func(r resource.Resource) {
			steps = append(steps, resource.Step{Node: s.Node, Module: s.Module, Branch: branch, Resource: r})
		}
		gone := func(path string) {
			if goes(path) {
				add(&resource.File{Path: path, Absent: true})
			}
		}
		switch r := s.Resource.(type) {
		case *resource.File:
			gone(r.Path)
		case *resource.Certificate:
			gone(r.Path)
			gone(r.KeyPath)
		case *resource.Block:
			if !strings.HasPrefix(r.Path, "/home/") {
				add(&resource.Block{Path: r.Path, Marker: r.Marker, Absent: true})
			}
		}
	}
	return steps
}

// deploymentFiles are those of the node module that are about the deployment, and not the machine.
var deploymentFiles = []string{
	"/etc/pigsty/", "/etc/promtail", "/etc/prometheus/node-exporter", "/etc/apt/sources.list.d/pigsty",
	"/etc/systemd/system/prometheus-node-exporter.service.d/", "/etc/systemd/system/promtail.service.d/",
	"/etc/apt/apt.conf.d/90pigsty", "/etc/profile.d/pigsty", "/etc/security/limits.d/pigsty", "/etc/ssh/ssh_config.d/pigsty",
}

func ofDeployment(path string) bool {
	return slices.ContainsFunc(deploymentFiles, func(start string) bool { return strings.HasPrefix(path, start) })
}
