package infra

import (
	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
)

const (
	grafanaUser        = "grafana"
	grafanaConfig      = "/etc/grafana/grafana.ini"
	grafanaDatasources = "/etc/grafana/provisioning/datasources/pigsty.yml"
	grafanaDashboards  = "/etc/grafana/provisioning/dashboards/pigsty.yml"
	grafanaPassword    = certDir + "/grafana-admin-password"
	grafanaReader      = certDir + "/grafana-reader-password"
	grafanaPgURL       = certDir + "/grafana-database"
	grafanaCert        = certDir + "/grafana.crt"
	grafanaKey         = certDir + "/grafana.key"

	// dashboardsDir has a folder of dashboards for each folder of Grafana.
	dashboardsDir = "/etc/pigsty/dashboards"
)

// grafanaView fills Grafana's templates. Passwords stand in files of their own, which it reads.
type grafanaView struct {
	Port                           int
	Domain, URL                    string
	Admin, Password                string
	PgURL                          string // file with the address of its own database; empty = sqlite3
	Cert, Key, CA                  string
	Dashboards                     string
	Prometheus, Loki, Server       string // addresses of the data sources; empty without one
	Database, Reader, ReadPassword string
	PgVersion                      int
}

// grafana shows dashboards, where a package source has it: the console shows them without.
func (b *builder) grafana() {
	b.on("grafana")
	if !b.p.GrafanaEnabled {
		b.off(model.GrafanaUnit)
		return
	}
	v := b.grafanaView()
	restart := resource.RestartOf(model.GrafanaUnit)
	b.add(&resource.Packages{ID: "grafana", Packages: []string{"grafana"}, Without: "dashboards are not shown by Grafana"})
	b.certificate(grafanaCert, grafanaKey, grafanaUser, restart)
	b.password(grafanaPassword, b.p.GrafanaAdminPassword, restart)
	if v.PgURL != "" {
		b.password(v.PgURL, b.p.GrafanaPgurl, restart)
	}
	if v.Server != "" {
		b.password(grafanaReader, b.n.Pg.Cluster.Param.PgMonitorPassword, restart)
	}
	b.add(&resource.File{Path: grafanaConfig, Content: templates.Fill(grafanaConfig, v), Group: grafanaUser, Mode: 0o640}, restart)
	b.file(grafanaDatasources, v, restart)
	b.file(grafanaDashboards, v, restart)
	b.add(&resource.Directory{Path: dashboardsDir})
	b.run(model.GrafanaUnit, restart)
	b.scrapeHere("grafana", model.GrafanaPort)
}

// password lists a file that Grafana reads a secret from.
func (b *builder) password(path, value string, notify ...resource.Notification) {
	b.add(&resource.File{Path: path, Content: value, Owner: grafanaUser, Mode: 0o600, Secret: true}, notify...)
}

func (b *builder) grafanaView() grafanaView {
	v := grafanaView{
		Port: model.GrafanaPort, Domain: b.n.Addr, URL: b.grafanaLink(), Admin: b.p.GrafanaAdminUsername, Password: grafanaPassword,
		Cert: grafanaCert, Key: grafanaKey, CA: pki.CAPath, Dashboards: dashboardsDir, ReadPassword: grafanaReader,
	}
	if b.p.GrafanaDatabase == "postgres" {
		v.PgURL = grafanaPgURL
	}
	if b.p.PrometheusEnabled {
		v.Prometheus = "https://" + at("localhost", model.PrometheusPort)
	}
	if b.p.LokiEnabled {
		v.Loki = "https://" + at("localhost", model.LokiPort)
	}
	if i := b.n.Pg; i != nil && len(i.Cluster.Param.PgDatabases) > 0 {
		v.Server, v.Database = at(b.n.Addr, i.Param.PgPort), i.Cluster.Param.PgDatabases[0].Name
		v.Reader, v.PgVersion = i.Cluster.Param.PgMonitorUsername, i.Version()
	}
	return v
}
