package node

import (
	"cmp"
	"path"

	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/register"
	"pigsty/internal/resource"
)

const (
	promtailUser   = "promtail"
	promtailConfig = "/etc/promtail.yml" // where promtail_options has it, as in v1.5
	promtailArgs   = "/etc/default/promtail"
	promtailDropIn = "/etc/systemd/system/promtail.service.d/pigsty.conf"
	promtailCert   = "/etc/pigsty/node/promtail.crt"
	promtailKey    = "/etc/pigsty/node/promtail.key"
	promtailState  = "/var/lib/promtail" // its own, made by its unit
)

// logsView is what the template of Promtail's configuration is filled with.
type logsView struct {
	Port             int
	Positions        string
	Cert, Key, CA    string
	URL              string
	Own              bool // the store asks for a certificate
	Addr, Name       string
	Cluster          string
	Timezone         string // in which PostgreSQL and its pool write times
	Nginx            bool
	PgCluster, PgIns string // empty where there is no instance
	Patroni, Pool    bool
	Options          string
}

// logs sends what the node logs to the platform's store: the journal, and the files of services that
// write some.
func (b *builder) logs() {
	p := b.n.Param
	url, own := b.d.LogStore()
	b.on("promtail")
	defer b.on("")
	if !p.PromtailEnabled || url == "" {
		b.add(&resource.Unit{Unit: model.PromtailUnit, Stopped: true, Disabled: true})
		return
	}
	restart := resource.RestartOf(model.PromtailUnit)
	b.add(&resource.Packages{ID: "promtail", Packages: []string{"promtail"}, Without: "logs of this node are not collected"})
	b.promtail = b.steps[len(b.steps)-1].Ref()
	b.add(&resource.Certificate{
		Path: promtailCert, KeyPath: promtailKey, CA: b.d.CA, Leaf: b.leaf(), Owner: promtailUser, Group: promtailUser,
	}, restart)
	v := b.logsView(url, own)
	b.add(&resource.File{
		Path: promtailConfig, Content: templates.Fill(promtailConfig, v),
		Check: &resource.FileCheck{Argv: []string{"promtail", "-check-syntax", "-config.file", resource.Candidate}},
	}, restart)
	b.file(promtailArgs, v, restart)
	b.file(promtailDropIn, nil, restart)
	b.add(resource.Restarting(model.PromtailUnit), restart)
	b.add(&resource.Unit{Unit: model.PromtailUnit})
	b.sender = []register.Endpoint{{Addr: b.n.Addr, Port: p.PromtailPort, Type: "promtail"}}
}

func (b *builder) logsView(url string, own bool) logsView {
	p := b.n.Param
	v := logsView{
		Port: p.PromtailPort, Positions: positions(p.PromtailPositions), Options: p.PromtailOptions,
		Cert: promtailCert, Key: promtailKey, CA: pki.CAPath, URL: url, Own: own,
		Addr: b.n.Addr, Name: b.n.Identity(), Cluster: b.n.Cluster, Timezone: b.timezone(),
		Nginx: b.n.Meta != nil && b.n.Meta.Param.NginxEnabled,
	}
	if i := b.n.Pg; i != nil {
		v.PgCluster, v.PgIns = i.Cluster.Name, i.Name
		v.Patroni, v.Pool = i.Cluster.Param.PatroniEnabled, i.Param.PgbouncerEnabled
	}
	return v
}

// positions is where Promtail remembers what it sent: v1.5's file in /var/log becomes one in its own
// folder, as it may write nowhere else.
func positions(file string) string { return path.Join(promtailState, path.Base(file)) }

// timezone is the one that the node has, or is given.
func (b *builder) timezone() string {
	return cmp.Or(b.n.Param.NodeTimezone, b.n.Facts.Timezone, "Etc/UTC")
}
