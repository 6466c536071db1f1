package node

import (
	"strings"

	"pigsty/internal/resource"
)

const (
	chronyUnit = "chrony.service"
	chronyConf = "/etc/chrony/chrony.conf"
)

// chronyView is what chrony's templates need.
type chronyView struct {
	Sources []string
	Serve   bool // answer other nodes
	// LeapFile is the table of leap seconds where chrony can read it; before Debian 13 it takes
	// them from a time zone.
	LeapFile bool
	// Watch keeps chronyd from setting the clock, which in a container belongs to the host.
	Watch bool
}

// clock sets the time zone and keeps the time.
func (b *builder) clock() {
	p := b.n.Param
	b.on("timezone")
	if p.NodeTimezone != "" {
		b.add(&resource.Timezone{Zone: p.NodeTimezone})
	}
	b.on("ntp")
	if p.NodeNtpEnabled {
		view := chronyView{
			Sources: b.timeSources(), Serve: p.MetaNode,
			LeapFile: b.n.Facts.Release != 12, Watch: b.n.Facts.Container,
		}
		restart := resource.RestartOf(chronyUnit)
		b.add(&resource.File{
			Path: chronyConf, Content: templates.Fill(chronyConf, view),
			Check: &resource.FileCheck{Argv: []string{"chronyd", "-p", "-f", resource.Candidate}},
		}, restart)
		b.file("/etc/default/chrony", view, restart)
		override := "/etc/systemd/system/" + chronyUnit + ".d/pigsty.conf"
		if view.Watch {
			b.file(override, nil, restart)
		} else {
			b.add(&resource.File{Path: override, Absent: true}, restart)
		}
		b.add(&resource.Unit{Unit: chronyUnit})
	}
	b.on("")
}

// timeSources leaves out the node itself, which v1.5's list names on the admin node.
func (b *builder) timeSources() []string {
	var sources []string
	for _, line := range b.n.Param.NodeNtpServers {
		if f := strings.Fields(line); len(f) > 1 && f[1] == b.n.Addr {
			continue
		}
		sources = append(sources, line)
	}
	return sources
}
