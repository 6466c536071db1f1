package infra

import (
	"embed"
	"html/template"
	"strconv"
	"strings"

	"pigsty/internal/model"
	"pigsty/internal/resource"
)

//go:embed pages
var pageFiles embed.FS

// pages are the portal's own, filled as HTML.
var pages = template.Must(template.New("").ParseFS(pageFiles, "pages/*.html"))

// homeView is what the home page shows of the deployment. How its parts are at the moment the page
// asks Prometheus, through nginx.
type homeView struct {
	Name     string
	Live     bool // there is a Prometheus to ask
	Services []homeService
	Links    []homeLink
	Clusters []homeCluster
	Nodes    []homeNode
}

type homeService struct {
	Name, Type, Domain, Endpoint string
	Link                         string
	// Maybe is a service that runs where a package source has it: the page makes it a link once
	// Prometheus has found it.
	Maybe bool
}

type homeLink struct{ Name, URL, Comment string }

type homeCluster struct {
	Name, VIP string
	Version   int
	Instances []homeInstance
	Services  []homePort
}

type homeInstance struct {
	Name, Addr, Role string
	Admin            bool // HAProxy's admin page is behind the portal
}

type homePort struct {
	Name string
	Port int
}

type homeNode struct{ Name, Addr, Cluster string }

// home is the portal's first page, and how all of its pages look.
func (b *builder) home() {
	look, err := pageFiles.ReadFile("pages/portal.css")
	if err != nil {
		panic(err) // what is embedded can always be read
	}
	b.add(&resource.File{Path: b.p.NginxHome + "/portal.css", Content: string(look)})
	b.page("/index.html", "index.html", b.homeView())
}

// page adds a page of the portal, at a path below nginx_home.
func (b *builder) page(path, name string, data any) {
	var text strings.Builder
	if err := pages.ExecuteTemplate(&text, name, data); err != nil {
		panic(err) // the page does not fit its data, which the golden tests find
	}
	b.add(&resource.File{Path: b.p.NginxHome + path, Content: text.String()})
}

func (b *builder) homeView() homeView {
	v := homeView{Name: b.n.Identity(), Live: b.p.PrometheusEnabled}
	types := map[string]bool{"prometheus": b.p.PrometheusEnabled, "alertmanager": b.p.PrometheusEnabled, "loki": b.p.LokiEnabled, "grafana": b.p.GrafanaEnabled}
	for _, u := range b.p.NginxUpstream {
		running, ours := types[u.Name]
		if u.Name == "home" || u.Endpoint == "" || ours && !running {
			continue
		}
		s := homeService{Name: u.Name, Domain: u.Domain, Endpoint: u.Endpoint, Link: b.link(u.Domain)}
		if ours {
			s.Type, s.Maybe = u.Name, u.Name == "grafana" && v.Live
		}
		if u.Name == "loki" {
			s.Link = "/logs/" // it has no page of its own
		}
		v.Services = append(v.Services, s)
	}
	for _, i := range b.p.NginxIndexes {
		v.Links = append(v.Links, homeLink{i.Name, strings.ReplaceAll(i.Url, "${grafana}", strings.TrimSuffix(b.grafanaLink(), "/")), i.Comment})
	}
	for _, c := range b.d.Pg {
		v.Clusters = append(v.Clusters, cluster(c))
	}
	for _, n := range b.d.Nodes {
		v.Nodes = append(v.Nodes, homeNode{n.Identity(), n.Addr, n.Cluster})
	}
	return v
}

// link is a URL of one of the portal's servers.
func (b *builder) link(domain string) string {
	if b.p.NginxPort == 80 {
		return "http://" + domain + "/"
	}
	return "http://" + domain + ":" + strconv.Itoa(b.p.NginxPort) + "/"
}

func (b *builder) grafanaLink() string {
	for _, u := range b.p.NginxUpstream {
		if u.Name == "grafana" {
			return b.link(u.Domain)
		}
	}
	return b.p.GrafanaEndpoint
}

func cluster(c *model.PgCluster) homeCluster {
	out := homeCluster{Name: c.Name}
	if c.HasVIP() {
		out.VIP = c.Param.VipAddress
	}
	for _, i := range c.Instances {
		out.Version = i.Version()
		out.Instances = append(out.Instances, homeInstance{i.Name, i.Node.Addr, i.Role, i.Param.HaproxyEnabled})
	}
	for _, s := range c.Services {
		out.Services = append(out.Services, homePort{strings.TrimPrefix(s.Name, c.Name+"-"), s.Port})
	}
	return out
}
