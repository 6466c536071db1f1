package view

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"pigsty/internal/controller"
	"pigsty/internal/resource"
)

// Topology draws who replicates from whom: a line for each instance, below the one that feeds it;
// then how clusters confirm writes, and what is not as it should be.
func Topology(w io.Writer, top *controller.Topology, color bool) {
	d := &drawing{style: styleFor(color)}
	d.row(d.style.bold, "INSTANCE", "ADDRESS", "ROLE", "STATE", "TL", "BEHIND", "LAG", "SYNC", "REMARKS")
	for _, root := range top.Roots {
		d.draw(root, "", "", root.Cluster)
	}
	d.print(w)
	var lines []string
	for _, c := range top.Clusters {
		if text := confirms(c); text != "" {
			lines = append(lines, text)
		}
	}
	lines = append(lines, shards(top.Clusters)...)
	for _, p := range top.Problems {
		lines = append(lines, d.style.red("!")+" "+printable(p)+".")
	}
	if len(lines) > 0 {
		fmt.Fprintln(w, "\n"+strings.Join(lines, "\n"))
	}
}

// confirms says which replicas confirm writes; nothing where none does.
func confirms(c controller.SyncCluster) string {
	switch {
	case c.Source != "":
		return fmt.Sprintf("Cluster %s follows %s.", c.Name, c.Source)
	case c.Names != "":
		return fmt.Sprintf("Writes to %s wait for %s.", c.Name, printable(c.Names))
	case c.Mode != "async":
		return fmt.Sprintf("Writes to %s wait for nobody right now, though replication is to be synchronous.", c.Name)
	}
	return ""
}

// shards says which clusters are parts of one whole, by their numbers.
func shards(clusters []controller.SyncCluster) []string {
	parts := map[string][]controller.SyncCluster{}
	for _, c := range clusters {
		if c.Shard != "" {
			parts[c.Shard] = append(parts[c.Shard], c)
		}
	}
	var lines []string
	for _, shard := range sorted(parts) {
		slices.SortFunc(parts[shard], func(a, b controller.SyncCluster) int { return cmp.Compare(a.Index, b.Index) })
		var names []string
		for _, c := range parts[shard] {
			names = append(names, fmt.Sprintf("%s (%d)", c.Name, c.Index))
		}
		lines = append(lines, fmt.Sprintf("Shard %s is %s.", shard, strings.Join(names, ", ")))
	}
	return lines
}

// drawing holds rows until their widths are known. Colours have no width, so they come last.
type drawing struct {
	style style
	rows  []drawnRow
}

type drawnRow struct {
	cells []string
	paint func(string) string // of the first cell
}

func (d *drawing) row(paint func(string) string, cells ...string) {
	d.rows = append(d.rows, drawnRow{cells, paint})
}

// draw adds a place and all that follow it. lead is what stands before the place's own line, below
// what stands before those of its followers.
func (d *drawing) draw(p *controller.Place, lead, below, cluster string) {
	timeline := ""
	if p.Timeline > 0 {
		timeline = fmt.Sprint(p.Timeline)
	}
	behind, lag := "", ""
	if p.Behind != nil {
		behind = resource.SizeText(*p.Behind)
	}
	if p.Lag != nil {
		lag = lagging(*p.Lag)
	}
	sync := p.Sync
	if sync == "async" {
		sync = ""
	}
	d.row(d.mood(p), lead+p.Instance, p.Addr, p.Role, p.State, timeline, behind, lag, sync, strings.Join(remarks(p, cluster), ", "))
	for n, follower := range p.Followers {
		if n == len(p.Followers)-1 {
			d.draw(follower, below+"└─ ", below+"   ", p.Cluster)
		} else {
			d.draw(follower, below+"├─ ", below+"│  ", p.Cluster)
		}
	}
}

// mood is the colour of an instance's name.
func (d *drawing) mood(p *controller.Place) func(string) string {
	switch {
	case p.State == "unreachable" || p.State == "down" || p.State == "not streaming":
		return d.style.red
	case p.Declared != "":
		return d.style.yellow
	case p.Role == "primary" || p.Role == "standby leader":
		return d.style.green
	}
	return func(text string) string { return text }
}

// remarks are what the columns do not tell.
func remarks(p *controller.Place, cluster string) []string {
	var all []string
	if p.Cluster != cluster || p.Role == "standby leader" {
		all = append(all, "cluster "+p.Cluster)
	}
	if strings.Contains(p.Upstream, ":") {
		all = append(all, "follows "+p.Upstream)
	}
	if p.Declared != "" {
		all = append(all, "declared: "+p.Declared)
	}
	if p.Delay > 0 {
		all = append(all, "stays "+duration(time.Duration(p.Delay)*time.Millisecond)+" behind")
	}
	if p.ReplayPaused {
		all = append(all, "replay paused")
	}
	for _, name := range sorted(p.Tags) {
		value := p.Tags[name]
		switch {
		case name == "clonefrom" || name == "replicatefrom":
		case value == true:
			all = append(all, name)
		default:
			all = append(all, printable(fmt.Sprintf("%s=%v", name, value)))
		}
	}
	return all
}

// lagging writes a lag, which is given in seconds.
func lagging(s float64) string {
	if s < 60 {
		return fmt.Sprintf("%.1f s", s)
	}
	return duration(time.Duration(s * float64(time.Second)))
}

// duration writes hours, minutes and seconds, as many as it takes, such as "1h30m".
func duration(d time.Duration) string {
	if d < time.Second {
		return d.String()
	}
	text := d.Round(time.Second).String()
	if whole, cut := strings.CutSuffix(text, "m0s"); cut {
		text = whole + "m"
	}
	if whole, cut := strings.CutSuffix(text, "h0m"); cut {
		text = whole + "h"
	}
	return text
}

// print sets the rows in columns; one that is empty throughout is left out.
func (d *drawing) print(w io.Writer) {
	widths := make([]int, len(d.rows[0].cells))
	for n, row := range d.rows {
		for i, cell := range row.cells {
			if n > 0 && cell != "" {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell), utf8.RuneCountInString(d.rows[0].cells[i]))
			}
		}
	}
	for n, row := range d.rows {
		var line strings.Builder
		for i, cell := range row.cells {
			if widths[i] == 0 {
				continue
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
			if i == 0 || n == 0 {
				cell = row.paint(cell)
			}
			line.WriteString(cell + pad)
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}
