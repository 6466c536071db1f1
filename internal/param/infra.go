package param

// Infra is what holds for the platform's own services. They run on the nodes with meta_node.
type Infra struct {
	Nginx      `section:"NGINX" module:"INFRA"`
	Repo       `section:"REPO" module:"INFRA"`
	Nameserver `section:"NAMESERVER" module:"INFRA"`
	Prometheus `section:"PROMETHEUS" module:"INFRA"`
	Exporter   `section:"EXPORTER" module:"INFRA"`
	Grafana    `section:"GRAFANA" module:"INFRA"`
	Loki       `section:"LOKI" module:"INFRA"`
}
