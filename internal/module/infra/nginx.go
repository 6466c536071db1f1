package infra

import (
	"slices"
	"strings"

	"pigsty/internal/model"
	"pigsty/internal/param"
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

// portalFolders are what the portal serves besides its home page, below nginx_home.
var portalFolders = []string{"pigsty", "logs", "schema", "report", "docs"}

// nginxView fills nginx's templates.
type nginxView struct {
	Home          string // document root
	Port, SSLPort int
	Addr          string
	Cert, Key, CA string
	Status        string
	Users         string // file of those who may use the portal; empty = everybody
	Domain        string // the portal's own name
	Sites         []site
	Balancers     []balancer
	Prometheus    string // where the home page asks how things are; empty without one
}

// site is a server that leads to a service.
type site struct {
	Name, Domain, Endpoint string
	TLS                    bool // the service is one of the platform's that speaks TLS
	WebSocket              bool
	ReadOnly               bool // the service knows no users, and lets whoever reaches it write
}

// balancer is the admin page of an instance's HAProxy, which the portal leads to by the instance's
// name.
type balancer struct{ Instance, Endpoint string }

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
	for _, folder := range portalFolders {
		b.add(&resource.Directory{Path: b.p.NginxHome + "/" + folder})
	}
	b.add(&resource.Certificate{Path: nginxCert, KeyPath: nginxKey, CA: b.d.CA, Leaf: b.leaf(b.domains()...)}, reload)
	b.users(reload)
	b.add(&resource.File{Path: "/etc/nginx/sites-enabled/default", Absent: true}, reload)
	b.file(nginxConfig, v, reload)
	b.file(nginxSites, v, reload)
	b.home()
	b.add(&resource.Unit{Unit: model.NginxUnit})
	b.certificate(nginxExporterCert, nginxExporterKey, register.PrometheusOwner)
	b.add(&resource.File{Path: nginxExporterWeb, Content: register.WebConfig(nginxExporterCert, nginxExporterKey)})
	b.file(nginxExporterArgs, struct{ Listen, Web, Scrape string }{
		at("", model.NginxExporterPort), nginxExporterWeb, "http://" + at("127.0.0.1", b.p.NginxPort) + nginxStatus,
	}, resource.RestartOf(model.NginxExporterUnit))
	b.add(&resource.Unit{Unit: model.NginxExporterUnit})
	b.scrape("nginx", model.NginxExporterPort)
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
		Cert: nginxCert, Key: nginxKey, CA: caFile, Status: nginxStatus, Domain: b.n.Name,
	}
	if len(b.p.NginxUsers) > 0 {
		v.Users = nginxUsers
	}
	if b.p.PrometheusEnabled {
		v.Prometheus = at("127.0.0.1", model.PrometheusPort)
	}
	for _, c := range b.d.Pg {
		for _, i := range c.Instances {
			if i.Param.HaproxyEnabled {
				v.Balancers = append(v.Balancers, balancer{i.Name, at(i.Node.Addr, c.Param.HaproxyExporterPort)})
			}
		}
	}
	for _, u := range b.p.NginxUpstream {
		switch {
		case u.Name == "home":
			v.Domain = u.Domain
		case u.Endpoint != "":
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
