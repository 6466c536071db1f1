package pgsql

import (
	"cmp"
	"net/url"
	"strconv"

	"pigsty/internal/model"
	"pigsty/internal/register"
	"pigsty/internal/resource"
)

const (
	exporterFolder  = "/usr/local/lib/pigsty"
	exporterProgram = exporterFolder + "/pg_exporter"
	exporterEnv     = "/etc/pg_exporter.env"
	exporterConfig  = certDir + "/pg_exporter.yml"
	exporterWeb     = certDir + "/pg_exporter-web.yml"
	exporterService = "/etc/systemd/system/" + model.PgExporterUnit
)

// exporterView fills the exporter's unit.
type exporterView struct {
	Program, Env, User, Options, Web, Path string
	Config                                 string // file or preset of collectors; empty = all that ship with it
	Listen, PoolListen                     string
	Discover                               bool
	Exclude, Include                       string
}

// exporter shows Prometheus what happens in the server and in its pool: one process for both, which
// logs in to each as pg_monitor_username over its socket.
func (m *member) exporter() {
	m.branch = "pgsql/exporter"
	if !m.i.Exports() {
		m.off(model.PgExporterUnit, "")
		return
	}
	restart := resource.RestartOf(model.PgExporterUnit)
	m.add(&resource.Directory{Path: exporterFolder})
	m.add(&resource.OwnProgram{Path: exporterProgram, Current: true}, restart)
	m.secret(exporterEnv, "root", environment(m.exporterURLs()), restart)
	m.own(exporterWeb, register.WebConfig(certFile, keyFile), 0)
	v := exporterView{
		Program: exporterProgram, Env: exporterEnv, User: m.p.PgDbsu, Options: m.p.PgExporterOptions, Web: exporterWeb, Path: m.d.Infra.ExporterMetricsPath,
		Listen: ":" + strconv.Itoa(m.p.PgExporterPort), PoolListen: ":" + strconv.Itoa(m.p.PgbouncerExporterPort),
		Discover: m.p.PgExporterAutoDiscovery, Exclude: m.p.PgExporterExcludeDatabase, Include: m.p.PgExporterIncludeDatabase,
	}
	if own, ok := m.i.Collectors(); ok {
		m.own(exporterConfig, m.d.Files[own], 0, restart)
		v.Config = exporterConfig
	} else {
		m.add(&resource.File{Path: exporterConfig, Absent: true}, restart)
		v.Config = m.i.CollectorPreset()
	}
	m.file(exporterService, v, restart)
	m.add(&resource.Unit{Unit: model.PgExporterUnit})
}

// exporterURLs say where the server and the pool are, with the password of who asks them.
func (m *member) exporterURLs() [][2]string {
	at := func(given string, enabled bool, port int, database, parameters string) string {
		if !enabled {
			return "none"
		}
		u := url.URL{Scheme: "postgres", User: url.UserPassword(m.c.Param.PgMonitorUsername, m.c.Param.PgMonitorPassword), Path: "/" + database}
		query, err := url.ParseQuery(parameters)
		if err != nil {
			panic(err) // param has checked it
		}
		query.Set("host", m.p.PgLocalhost)
		query.Set("port", strconv.Itoa(port))
		u.RawQuery = query.Encode()
		return cmp.Or(given, u.String())
	}
	return [][2]string{
		{"PG_EXPORTER_URL", at(m.p.PgExporterUrl, m.p.PgExporterEnabled, m.p.PgPort, "postgres", m.p.PgExporterParams)},
		{"PG_EXPORTER_PGBOUNCER_URL", at(m.p.PgbouncerExporterUrl, m.i.ExportsPool(), m.p.PgbouncerPort, "pgbouncer", m.p.PgExporterParams)},
	}
}

// exported are the endpoints of the exporter.
func exported(d *model.Deployment, i *model.PgInstance) []register.Endpoint {
	endpoint := func(kind string, port int) register.Endpoint {
		return register.Endpoint{Addr: i.Node.Addr, Port: port, Type: kind, Path: d.Infra.ExporterMetricsPath}
	}
	var all []register.Endpoint
	if i.Param.PgExporterEnabled {
		all = append(all, endpoint("pgsql", i.Param.PgExporterPort))
	}
	if i.ExportsPool() {
		all = append(all, endpoint("pgbouncer", i.Param.PgbouncerExporterPort))
	}
	return all
}
