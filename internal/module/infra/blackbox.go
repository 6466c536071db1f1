package infra

import (
	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
)

const (
	blackboxConfig = "/etc/prometheus/blackbox.yml"
	blackboxArgs   = "/etc/default/prometheus-blackbox-exporter"
)

// blackbox looks at services from outside, as clients do.
func (b *builder) blackbox() {
	b.on("blackbox")
	if !b.p.PrometheusEnabled {
		b.off(model.BlackboxUnit)
		return
	}
	b.add(&resource.Packages{ID: "blackbox", Packages: []string{"prometheus-blackbox-exporter"}})
	b.file(blackboxConfig, struct{ CA, Cert, Key string }{pki.CAPath, prometheusCert, prometheusKey}, resource.ReloadOf(model.BlackboxUnit))
	b.file(blackboxArgs, struct{ Listen, Config string }{at("127.0.0.1", model.BlackboxPort), blackboxConfig}, resource.RestartOf(model.BlackboxUnit))
	b.run(model.BlackboxUnit, resource.ReloadOf(model.BlackboxUnit))
}
