package infra

import (
	"pigsty/internal/model"
	"pigsty/internal/register"
	"pigsty/internal/resource"
)

const (
	alertmanagerConfig = "/etc/prometheus/alertmanager.yml"
	alertmanagerGossip = "/etc/prometheus/alertmanager-gossip.yml"
	alertmanagerArgs   = "/etc/default/prometheus-alertmanager"
	alertmanagerData   = "/var/lib/prometheus/alertmanager"
)

// alertmanager tells people of alerts. Several of them tell each other what they have sent.
func (b *builder) alertmanager() {
	b.on("alertmanager")
	if !b.p.PrometheusEnabled {
		b.off(model.AlertmanagerUnit)
		return
	}
	v := b.prometheusView()
	restart := resource.RestartOf(model.AlertmanagerUnit)
	b.add(&resource.Packages{ID: "alertmanager", Packages: []string{"prometheus-alertmanager"}})
	b.add(&resource.Directory{Path: alertmanagerData, Owner: register.PrometheusOwner, Mode: 0o700})
	config := templates.Fill(alertmanagerConfig, v)
	if own := b.p.AlertmanagerConfig; own != "" {
		config = b.d.Files[own]
	}
	config = inhibited(config)
	// Whoever is told of alerts is often reached with a password.
	b.add(&resource.File{
		Path: alertmanagerConfig, Content: config, Group: register.PrometheusOwner, Mode: 0o640, Secret: b.p.AlertmanagerConfig != "",
		Check: &resource.FileCheck{Argv: []string{"amtool", "check-config", resource.Candidate}},
	}, resource.ReloadOf(model.AlertmanagerUnit))
	if v.Gossip != "" {
		b.file(alertmanagerGossip, v, restart)
	} else {
		b.add(&resource.File{Path: alertmanagerGossip, Absent: true})
	}
	b.file(alertmanagerArgs, v, restart)
	b.run(model.AlertmanagerUnit, resource.ReloadOf(model.AlertmanagerUnit))
	b.scrape("alertmanager", model.AlertmanagerPort)
}
