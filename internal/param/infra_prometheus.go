package param

// Prometheus is section PROMETHEUS: metrics and alerts.
type Prometheus struct {
	PrometheusEnabled        bool   `level:"cluster" default:"true" help:"run Prometheus and Alertmanager on infrastructure nodes"`
	PrometheusDataDir        string `level:"global" default:"/data/prometheus/data" kind:"path" help:"data directory"`
	PrometheusOptions        string `level:"global" default:"--storage.tsdb.retention.time=15d" help:"further options"`
	PrometheusReload         bool   `level:"argument" default:"false" help:"nothing: a change is always a reload where that will do, and data is never wiped"`
	PrometheusSdMethod       string `level:"global" default:"static" oneof:"static consul" help:"how targets are found: static or consul"`
	PrometheusScrapeInterval string `level:"global" default:"10s" kind:"duration" help:"time between two scrapes, and between two looks at the rules"`
	PrometheusScrapeTimeout  string `level:"global" default:"8s" kind:"duration" help:"longest time of a scrape"`
	PrometheusSdInterval     string `level:"global" default:"5s" kind:"duration" help:"time between two looks for targets in Consul; files are noticed at once"`
	PrometheusSampleLimit    int    `level:"global" default:"50000" min:"0" help:"most series that Prometheus takes of one target; an answer with more is refused whole; 0 takes any number"`
	PrometheusAlertHaste     int    `level:"global" default:"1" min:"1" help:"divides the time for which an alert's cause has to last, for drills of alerts"`
	AlertmanagerConfig       string `level:"global" default:"''" help:"file with Alertmanager's configuration: who is told of alerts; relative to the inventory; empty tells nobody"`
}

// Exporter is section EXPORTER: what all exporters share.
type Exporter struct {
	ExporterInstall     string `level:"global" default:"none" oneof:"none yum binary" help:"nothing: exporters come as packages, like everything else"`
	ExporterRepoUrl     string `level:"global" default:"''" help:"nothing: the node's package sources serve"`
	ExporterMetricsPath string `level:"global" default:"/metrics" kind:"path" help:"path of the metrics of PostgreSQL's exporter and HAProxy"`
}
