package view

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"pigsty/internal/controller"
	"pigsty/internal/health"
	"pigsty/internal/resource"
)

// Members prints clusters with a row for each member, and below what is not as it should be.
func Members(w io.Writer, s *controller.Status, color bool) {
	style := styleFor(color)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CLUSTER\tINSTANCE\tADDRESS\tROLE\tSTATE\tTIMELINE\tLAG\tPENDING RESTART\tTAGS")
	for _, c := range s.Clusters {
		for _, m := range c.Members {
			fmt.Fprintln(t, memberRow(c.Name, m))
		}
		for _, name := range c.Missing {
			fmt.Fprintf(t, "%s\t%s\t\t\tnot known to Patroni\t\t\t\t\n", c.Name, name)
		}
	}
	t.Flush()
	var notes []string
	for _, c := range s.Clusters {
		notes = append(notes, clusterNotes(c, style)...)
	}
	for _, n := range s.Nodes {
		if n.Health == nil {
			notes = append(notes, fmt.Sprintf("Node %s (%s) %s", n.Name, n.Addr, style.red("cannot be asked: "+n.Error)))
		} else if down := downUnits(n.Health.Units); len(down) > 0 {
			notes = append(notes, fmt.Sprintf("Node %s (%s): %s.", n.Name, n.Addr, style.red(strings.Join(down, ", "))))
		}
	}
	if len(notes) > 0 {
		fmt.Fprintln(w, "\n"+strings.Join(notes, "\n"))
	}
}

func memberRow(cluster string, m health.Member) string {
	behind := ""
	if !m.Leads() {
		behind = "unknown"
		if m.Lag >= 0 {
			behind = resource.SizeText(m.Lag)
		}
	}
	timeline := ""
	if m.Timeline > 0 {
		timeline = fmt.Sprint(m.Timeline)
	}
	pending := ""
	if m.PendingRestart {
		pending = "yes"
	}
	var tags []string
	for _, name := range sorted(m.Tags) {
		tags = append(tags, printable(fmt.Sprintf("%s=%v", name, m.Tags[name])))
	}
	return strings.Join([]string{
		cluster, m.Name, m.Host, strings.ReplaceAll(m.Role, "_", " "), m.State, timeline, behind, pending, strings.Join(tags, " "),
	}, "\t")
}

// clusterNotes are what the rows of its members do not tell of a cluster.
func clusterNotes(c controller.ClusterStatus, style style) []string {
	var notes []string
	say := func(text string) { notes = append(notes, fmt.Sprintf("Cluster %s %s", style.bold(c.Name), text)) }
	if c.Paused {
		say(style.yellow("is paused: no replica takes over by itself until pigsty pg resume "+c.Name) + ".")
	}
	switch {
	case len(c.Members) == 0:
		say(style.red("is unknown: no Patroni of its members answers") + ".")
	case !c.HasLeader():
		say(style.red("has no leader") + ".")
	}
	if c.VIP != "" && c.VIPHolder == "" {
		say(style.red("has its virtual address "+c.VIP+" on nobody") + ".")
	} else if len(c.VIPAlso) > 0 {
		say(style.red("has its virtual address "+c.VIP+" on several: "+strings.Join(append([]string{c.VIPHolder}, c.VIPAlso...), ", ")) + ".")
	}
	for _, service := range c.Services {
		if service.Open < service.Of {
			say(style.red(fmt.Sprintf("has service %s open on %d of %d members", service.Name, service.Open, service.Of)) + ".")
		}
	}
	return notes
}
