package infra

import (
	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
)

const (
	lokiUser   = "loki"
	lokiConfig = "/etc/loki.yml" // where loki_options has it, as in v1.5
	lokiArgs   = "/etc/default/loki"
	lokiDropIn = "/etc/systemd/system/loki.service.d/pigsty.conf"
	lokiCert   = certDir + "/loki.crt"
	lokiKey    = certDir + "/loki.key"
)

// loki keeps logs. It knows no users: whoever speaks to it shows a certificate of the deployment's
// authority, as every node's Promtail and the portal have one.
func (b *builder) loki() {
	b.on("loki")
	if !b.p.LokiEnabled {
		b.off(model.LokiUnit)
		return
	}
	restart := resource.RestartOf(model.LokiUnit)
	b.add(&resource.Packages{ID: "loki", Packages: []string{"grafana-loki"}, Without: "logs are not collected"})
	b.add(&resource.Directory{Path: b.p.LokiDataDir, Owner: lokiUser, Mode: 0o750})
	b.certificate(lokiCert, lokiKey, lokiUser, restart)
	v := struct {
		DataDir, Retention, Cert, Key, CA, Options string
		Port, RingPort                             int
		Threads                                    int // 0 = as many as there are
	}{
		b.p.LokiDataDir, b.p.LokiRetention, lokiCert, lokiKey, pki.CAPath, b.p.LokiOptions,
		model.LokiPort, model.LokiRingPort, (b.n.Facts.CPUs + 1) / 2,
	}
	b.add(&resource.File{
		Path: lokiConfig, Content: templates.Fill(lokiConfig, v),
		Check: &resource.FileCheck{Argv: []string{"loki", "-verify-config", "-config.file", resource.Candidate}},
	}, restart)
	b.file(lokiArgs, v, restart)
	b.file(lokiDropIn, v, restart)
	b.run(model.LokiUnit, restart)
	b.scrapeHere("loki", model.LokiPort)
}
