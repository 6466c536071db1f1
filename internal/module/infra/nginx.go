package infra

import (
	"slices"
	"strings"

	"pigsty/internal/model"
	"pigsty/internal/param"
	"pigsty/internal/pki"
	"pigsty/internal/register"
	"pigsty/internal/resource"
)

const (
	nginxConfig       = "/etc/nginx/nginx.conf"
	nginxSites        = "/etc/nginx/conf.d/pigsty.conf"
	nginxUsers        = "/etc/nginx/pigsty.users"
	nginxCert         = certDir + "/nginx.crt"
	nginxKey          = certDir + "/nginx.key"
	nginxExporterArgs = "/etc/default/prometheus-nginx-exporter"
	nginxExporterWeb  = "/etc/prometheus/nginx-exporter-web.yml"
	nginxExporterCert = certDir + "/nginx-exporter.crt"
	nginxExporterKey  = certDir + "/nginx-exporter.key"

	// nginxStatus is where nginx tells its exporter of its connections, on the loopback alone.
	nginxStatus = "/nginx"
)

// nginxCheck has nginx read all that it would: a file of servers says nothing by itself, and those of
// others are checked with it.
var nginxCheck = resource.FileCheck{
	Tree: "/etc/nginx", Argv: []string{"nginx", "-t", "-q", "-c", resource.Candidate + "/nginx.conf"},
}

// listingPages is where, below nginx_home, the tops of listed folders are. Nobody is served them
// alone.
const listingPages = "/.portal"

// logPaths are what the page of logs asks, with the paths of Loki's API that answer.
var logPaths = map[string]string{"/logs/streams": "/loki/api/v1/series", "/logs/lines": "/loki/api/v1/query_range"}

// nginxView fills nginx's templates.
type nginxView struct {
	Home          string // document root
	Port, SSLPort int
	Addr          string
	Cert, Key, CA string
	Status        string
	Users         string   // file of those who may use the portal; empty = everybody
	Domain        string   // the portal's own name
	Folders       []folder // those that are listed
	ListingPages  string
	Loki          string // where the page of logs asks; empty without one
	LogPaths      map[string]string
	Sites         []site
	Repository    string // folder of the local package repository, below the document root
	Pages         string // files by which the portal leads to pages that others register
	Prometheus    string // where the home page asks how things are; empty without one
}

// site is a server that leads to a service.
type site struct {
	Name, Domain, Endpoint string
	TLS                    bool // the service is one of the platform's that speaks TLS
	WebSocket              bool
	ReadOnly               bool // the service knows no users, and lets whoever reaches it write
}

// nginx is the portal: the home page, static folders, and one server for each upstream.
func (b *builder) nginx() {
	b.on("nginx")
	if !b.p.NginxEnabled {
		b.off(model.NginxUnit, model.NginxExporterUnit)
		return
	}
	v := b.nginxView()
	reload := resource.ReloadOf(model.NginxUnit)
	b.add(&resource.Packages{ID: "nginx", Packages: []string{"nginx", "prometheus-nginx-exporter"}})
	b.add(&resource.Directory{Path: b.p.NginxHome})
	b.add(&resource.Certificate{Path: nginxCert, KeyPath: nginxKey, CA: b.d.CA, Leaf: b.leaf(b.domains()...)}, reload)
	b.users(reload)
	b.add(&resource.File{Path: "/etc/nginx/sites-enabled/default", Absent: true}, reload)
	b.add(&resource.File{Path: nginxConfig, Content: templates.Fill(nginxConfig, v), Check: &nginxCheck}, reload)
	b.add(&resource.File{Path: nginxSites, Content: templates.Fill(nginxSites, v), Check: &nginxCheck}, reload)
	b.home()
	b.run(model.NginxUnit, reload)
	if len(b.d.RepositoryUsers()) > 0 {
		b.add(&resource.Wait{ID: served, TCP: at("127.0.0.1", b.p.NginxPort)})
	}
	b.folders()
	b.nginxExporter()
	b.scrape("nginx", model.NginxExporterPort)
	b.probed = append(b.probed, register.Endpoint{Addr: b.n.Addr, Port: b.p.NginxSslPort, Type: "nginx", Probe: register.TLS})
}

// nginxExporter counts what the portal answers. Debian 12's (0.11) is told of its certificate by
// arguments and reads it once; later ones have a file for that, and see a new certificate.
func (b *builder) nginxExporter() {
	restart := resource.RestartOf(model.NginxExporterUnit)
	v := nginxExporterView{Listen: at("", model.NginxExporterPort), Scrape: "http://" + at("127.0.0.1", b.p.NginxPort) + nginxStatus}
	if b.n.Facts.Release == 12 {
		v.Cert, v.Key = nginxExporterCert, nginxExporterKey
		b.certificate(nginxExporterCert, nginxExporterKey, register.PrometheusOwner, restart)
	} else {
		v.Web = nginxExporterWeb
		b.certificate(nginxExporterCert, nginxExporterKey, register.PrometheusOwner)
		b.add(&resource.File{Path: nginxExporterWeb, Content: register.WebConfig(nginxExporterCert, nginxExporterKey)})
	}
	b.file(nginxExporterArgs, v, restart)
	b.run(model.NginxExporterUnit, restart)
}

// nginxExporterView has the configuration of its server, or what that would lead to.
type nginxExporterView struct{ Listen, Scrape, Web, Cert, Key string }

// served is the name of the wait for the local repository to be reached.
const served = "repository"

// Served is the step after which nodes reach the local repository on one of its hosts.
func Served(n *model.Node) resource.Ref { return resource.Ref{Node: n.Addr, ID: "wait:" + served} }

// portal is the address of the home page, without a slash at its end.
func (b *builder) portal() string {
	host := b.homeDomain()
	if b.p.NginxPort != 80 {
		host = at(host, b.p.NginxPort)
	}
	return "http://" + host
}

// homeDomain is the portal's own name.
func (b *builder) homeDomain() string {
	for _, u := range b.p.NginxUpstream {
		if u.Name == "home" {
			return u.Domain
		}
	}
	return b.n.Name
}

// domains are the names that the portal and its upstreams are asked for by.
func (b *builder) domains() []string {
	names := []string{b.n.Name}
	for _, u := range b.p.NginxUpstream {
		if !slices.Contains(names, u.Domain) {
			names = append(names, u.Domain)
		}
	}
	return names
}

func (b *builder) nginxView() nginxView {
	v := nginxView{
		Home: b.p.NginxHome, Port: b.p.NginxPort, SSLPort: b.p.NginxSslPort, Addr: b.n.Addr,
		Cert: nginxCert, Key: nginxKey, CA: pki.CAPath, Status: nginxStatus, Domain: b.homeDomain(), Repository: b.p.RepoName, Pages: "conf.d/haproxy/*.conf",
		Folders: folders, ListingPages: listingPages, LogPaths: logPaths,
	}
	if len(b.p.NginxUsers) > 0 {
		v.Users = nginxUsers
	}
	if b.p.PrometheusEnabled {
		v.Prometheus = at("127.0.0.1", model.PrometheusPort)
	}
	if b.p.LokiEnabled {
		v.Loki = at("127.0.0.1", model.LokiPort)
	}
	for _, u := range b.p.NginxUpstream {
		if u.Name != "home" && u.Endpoint != "" {
			v.Sites = append(v.Sites, b.site(u))
		}
	}
	return v
}

// site leads to an upstream. The platform's own services are asked by TLS, also where the inventory
// has the address of v1.5's plain one.
func (b *builder) site(u param.Upstream) site {
	here := func(ports ...int) bool {
		return slices.ContainsFunc(ports, func(port int) bool {
			return slices.Contains([]string{at("127.0.0.1", port), at(b.n.Addr, port)}, u.Endpoint)
		})
	}
	return site{
		Name: u.Name, Domain: u.Domain, Endpoint: u.Endpoint,
		TLS:       here(model.PrometheusPort, model.AlertmanagerPort, model.LokiPort, model.GrafanaPort),
		ReadOnly:  here(model.LokiPort),
		WebSocket: strings.HasPrefix(u.Name, "grafana") || strings.HasPrefix(u.Name, "jupyter"),
	}
}
