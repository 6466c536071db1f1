package view

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"pigsty/internal/controller"
	"pigsty/internal/health"
	"pigsty/internal/resource"
)

// Status prints how a site is: nodes, etcd, clusters, on one screen.
func Status(w io.Writer, s *controller.Status, color bool) {
	style := styleFor(color)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tADDRESS\tSYSTEM\tCPU\tLOAD\tMEMORY FREE\tDISK FREE\tUP\tSERVICES")
	for _, n := range s.Nodes {
		fmt.Fprintln(t, nodeRow(n))
	}
	t.Flush()
	if len(s.Etcd) > 0 {
		var members []string
		for _, e := range s.Etcd {
			members = append(members, fmt.Sprintf("%s %s %s", e.Name, e.Addr, e.State))
		}
		fmt.Fprintf(w, "\n%s  %s\n", style.bold("etcd"), strings.Join(members, " · "))
	}
	for _, c := range s.Clusters {
		clusterStatus(w, c, style)
	}
	if s.Healthy() {
		fmt.Fprintln(w, "\n"+style.green("Healthy."))
		return
	}
	fmt.Fprintln(w, "\n"+style.red("Not healthy: see above for what is down, missing or not running."))
}

func nodeRow(n controller.NodeStatus) string {
	if n.Health == nil {
		return fmt.Sprintf("%s\t%s\t%s\t\t\t\t\t\t", n.Name, n.Addr, "unreachable: "+n.Error)
	}
	h := n.Health
	return fmt.Sprintf("%s\t%s\t%s\t%d\t%.2f\t%s\t%s\t%s\t%s",
		n.Name, n.Addr, n.System, n.CPUs, h.Load, resource.SizeText(h.Memory), resource.SizeText(h.DiskFree), age(h.Uptime), units(h.Units))
}

// units names what does not run, or says that all do.
func units(states map[string]string) string {
	if down := downUnits(states); len(down) > 0 {
		return strings.Join(down, ", ")
	}
	return fmt.Sprintf("%d running", len(states))
}

// downUnits are the units that do not run, each with its state.
func downUnits(states map[string]string) []string {
	var down []string
	for _, unit := range sorted(states) {
		if states[unit] != "active" {
			down = append(down, strings.TrimSuffix(unit, ".service")+" "+states[unit])
		}
	}
	return down
}

func clusterStatus(w io.Writer, c controller.ClusterStatus, style style) {
	head := style.bold(c.Name)
	if c.VIP != "" {
		holder := c.VIPHolder
		if holder == "" {
			holder = style.red("nobody")
		}
		head += fmt.Sprintf("  VIP %s on %s", c.VIP, holder)
		if len(c.VIPAlso) > 0 {
			head += style.red(" and at the same time on " + strings.Join(c.VIPAlso, ", "))
		}
	}
	if c.Paused {
		head += "  " + style.yellow("paused: no automatic failover")
	}
	fmt.Fprintln(w, "\n"+head)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range c.Members {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\ttimeline %d\t%s\n", m.Name, m.Host, strings.ReplaceAll(m.Role, "_", " "), m.State, m.Timeline, memberNote(m))
	}
	for _, name := range c.Missing {
		fmt.Fprintf(t, "  %s\t\tnot known to Patroni\t\t\t\n", name)
	}
	t.Flush()
	var services []string
	for _, s := range c.Services {
		text := fmt.Sprintf("%s %d", strings.TrimPrefix(s.Name, c.Name+"-"), s.Port)
		if s.Open < s.Of {
			text += fmt.Sprintf(" (open on %d of %d)", s.Open, s.Of)
		}
		services = append(services, text)
	}
	if len(services) > 0 {
		fmt.Fprintf(w, "  services  %s\n", strings.Join(services, " · "))
	}
}

func memberNote(m health.Member) string {
	var parts []string
	if m.Role != "primary" {
		switch {
		case m.Lag < 0:
			parts = append(parts, "lag unknown")
		default:
			parts = append(parts, "lag "+resource.SizeText(m.Lag))
		}
	}
	if m.PendingRestart {
		parts = append(parts, "restart pending")
	}
	return strings.Join(parts, ", ")
}

func age(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d s", seconds)
}
