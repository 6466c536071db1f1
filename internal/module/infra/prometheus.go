package infra

import (
	"regexp"
	"slices"

	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/register"
	"pigsty/internal/resource"
	"pigsty/rules"
)

const (
	prometheusConfig = "/etc/prometheus/prometheus.yml"
	prometheusWeb    = "/etc/prometheus/web.yml"
	prometheusArgs   = "/etc/default/prometheus"
	prometheusCert   = certDir + "/prometheus.crt"
	prometheusKey    = certDir + "/prometheus.key"
)

// prometheusView fills the templates of Prometheus and Alertmanager.
type prometheusView struct {
	Interval, Timeout, DataDir, Options string
	CA, Cert, Key, Targets, Web         string
	Alertmanagers, Jobs                 []string
	Blackbox                            string
	SampleLimit                         int
	Peers                               []string // the other Alertmanagers
	Gossip                              string   // where this one listens for them; empty when it is alone
}

// prometheus scrapes what is registered. Targets are noticed when their files change; only the
// configuration and the rules need a reload, and nothing ever loses data.
func (b *builder) prometheus() {
	b.on("prometheus")
	if !b.p.PrometheusEnabled {
		b.off(model.PrometheusUnit)
		return
	}
	b.add(&resource.Packages{ID: "prometheus", Packages: []string{"prometheus"}})
	b.add(&resource.Directory{Path: b.p.PrometheusDataDir, Owner: register.PrometheusOwner, Mode: 0o700})
	b.certificate(prometheusCert, prometheusKey, register.PrometheusOwner)
	for _, job := range append(slices.Clone(register.Scraped), register.Probe) {
		b.add(&resource.Directory{Path: register.TargetsDir + "/" + job})
	}
	v := b.prometheusView()
	reload, restart := resource.ReloadOf(model.PrometheusUnit), resource.RestartOf(model.PrometheusUnit)
	b.web()
	b.add(&resource.File{
		Path: prometheusConfig, Content: templates.Fill(prometheusConfig, v),
		Check: &resource.FileCheck{Argv: []string{"promtool", "check", "config", "--syntax-only", resource.Candidate}},
	}, reload)
	b.rules(reload)
	b.file(prometheusArgs, v, restart)
	b.run(model.PrometheusUnit, reload)
	b.scrape("prometheus", model.PrometheusPort)
}

// web is how Prometheus and Alertmanager serve. Where the portal asks for a password, their own ports
// are not to be the way around it.
func (b *builder) web() {
	config := register.WebConfig(prometheusCert, prometheusKey)
	if len(b.p.NginxUsers) > 0 {
		config = register.ClosedWebConfig(prometheusCert, prometheusKey, pki.CAPath)
	}
	b.add(&resource.File{Path: prometheusWeb, Content: config})
}

// rules are what Prometheus records and alerts of.
func (b *builder) rules(notify ...resource.Notification) {
	pace := rules.Pace{Factor: 1 / float64(b.p.PrometheusAlertHaste), Shortest: b.p.PrometheusScrapeInterval}
	for _, f := range rules.Files() {
		paced, err := pace.Apply(f)
		if err != nil {
			panic(err) // the files are the program's own, tests read all of them, and the interval was checked
		}
		b.add(&resource.File{
			Path: "/etc/prometheus/rules/" + f.Name, Content: b.withPages(paced.Text),
			Check: &resource.FileCheck{Argv: []string{"promtool", "check", "rules", resource.Candidate}},
		}, notify...)
	}
}

// runbook is the line of a rule that names its alert's page in the documentation.
var runbook = regexp.MustCompile(`(?m)^( +)runbook: docs/(alerts/\w+)\.md$`)

// withPages adds to alerts where the portal shows their pages, under the name by which programs that
// tell people of alerts know that.
func (b *builder) withPages(rules string) string {
	if !b.p.NginxEnabled {
		return rules
	}
	return runbook.ReplaceAllString(rules, "$0\n${1}runbook_url: "+b.portal()+"/docs/$2.html")
}

func (b *builder) prometheusView() prometheusView {
	v := prometheusView{
		Interval: b.p.PrometheusScrapeInterval, Timeout: b.p.PrometheusScrapeTimeout,
		SampleLimit: b.p.PrometheusSampleLimit,
		DataDir:     b.p.PrometheusDataDir, Options: b.p.PrometheusOptions,
		CA: pki.CAPath, Cert: prometheusCert, Key: prometheusKey, Targets: register.TargetsDir, Web: prometheusWeb,
		Jobs: register.Scraped, Blackbox: at("127.0.0.1", model.BlackboxPort),
	}
	for _, m := range b.d.PrometheusNodes() {
		v.Alertmanagers = append(v.Alertmanagers, at(m.Node.Addr, model.AlertmanagerPort))
		if m != b.m {
			v.Peers = append(v.Peers, at(m.Node.Addr, model.AlertGossipPort))
		}
	}
	if len(v.Peers) > 0 {
		v.Gossip = at(b.n.Addr, model.AlertGossipPort)
	}
	return v
}

// certificate is one by which a service of the node is known, and asks others.
func (b *builder) certificate(path, key, owner string, notify ...resource.Notification) {
	b.add(&resource.Certificate{Path: path, KeyPath: key, CA: b.d.CA, Leaf: b.leaf(b.n.Name), Owner: owner, Group: owner}, notify...)
}
