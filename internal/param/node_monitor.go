package param

// NodeExporter is section NODE_EXPORTER.
type NodeExporter struct {
	NodeExporterEnabled bool   `level:"cluster" default:"true" help:"run node_exporter on the node"`
	NodeExporterPort    int    `level:"cluster" default:"9100" kind:"port" help:"port of node_exporter"`
	NodeExporterOptions string `level:"cluster" default:"--no-collector.softnet --no-collector.nvme --collector.tcpstat --collector.processes --collector.systemd --collector.systemd.enable-restarts-metrics --collector.netdev.address-info" help:"options of node_exporter"`
}

// Promtail is section PROMTAIL.
type Promtail struct {
	PromtailEnabled   bool   `level:"cluster" default:"true" help:"send the node's logs to Loki"`
	PromtailClean     bool   `level:"argument" default:"false" help:"nothing: what was sent is forgotten by hand, never by an apply"`
	PromtailPort      int    `level:"global" default:"9080" kind:"port" help:"port of Promtail"`
	PromtailOptions   string `level:"cluster" default:"-config.file=/etc/promtail.yml -config.expand-env=true" help:"options of Promtail"`
	PromtailPositions string `level:"cluster" default:"/var/lib/promtail/positions.yaml" kind:"path" help:"file that remembers what was sent"`
}
