package param

// Nginx is section NGINX: the portal.
type Nginx struct {
	NginxEnabled  bool         `level:"cluster" default:"true" help:"run nginx on infrastructure nodes"`
	NginxHome     string       `level:"global" default:"/www" kind:"path" help:"document root"`
	NginxPort     int          `level:"global" default:"80" kind:"port" help:"port of the portal"`
	NginxSslPort  int          `level:"global" default:"443" kind:"port" help:"port of the portal by HTTPS, with a certificate of the deployment's authority"`
	NginxUsers    []PortalUser `level:"global" default:"[]" help:"who may use the portal; everybody when empty"`
	NginxUpstream []Upstream   `level:"global" default:"[{name: home, domain: pigsty}, {name: grafana, domain: g.pigsty, endpoint: '127.0.0.1:3000'}, {name: loki, domain: l.pigsty, endpoint: '127.0.0.1:3100'}, {name: prometheus, domain: p.pigsty, endpoint: '127.0.0.1:9090'}, {name: alertmanager, domain: a.pigsty, endpoint: '127.0.0.1:9093'}]" help:"services behind nginx"`
	NginxIndexes  []Index      `level:"global" default:"[{name: Documentation, url: /docs, comment: of the version that is deployed}, {name: Logs, url: /logs, comment: search what was logged}, {name: Packages, url: /pigsty, comment: packages of the local repository}, {name: Schemas, url: /schema, comment: 'schema of inventories, reports of database schemas'}, {name: Reports, url: /report, comment: reports of PostgreSQL's logs}]" help:"links on the home page"`
}

// Upstream is an entry of nginx_upstream: a server of nginx.
type Upstream struct {
	Name     string `required:"true" kind:"name" help:"name; home is the portal itself"`
	Domain   string `required:"true" kind:"host" help:"name that browsers ask for"`
	Endpoint string `kind:"endpoint" help:"address and port of the service; not needed for home"`
}

// PortalUser is an entry of nginx_users.
type PortalUser struct {
	Name     string `required:"true" kind:"name" help:"name of the user"`
	Password string `required:"true" secret:"true" help:"password, in the clear"`
}

// Index is an entry of nginx_indexes: a link on the home page.
type Index struct {
	Name    string `required:"true" help:"text of the link"`
	Url     string `required:"true" help:"where it leads; ${grafana} stands for Grafana's address"`
	Comment string `help:"what is there"`
}
