package param

// Grafana is section GRAFANA.
type Grafana struct {
	GrafanaEnabled       bool     `level:"cluster" default:"true" help:"run Grafana on infrastructure nodes, where a package source has it"`
	GrafanaEndpoint      string   `level:"global" default:"''" kind:"url" help:"address of Grafana; that of the first infrastructure node unless given"`
	GrafanaAdminUsername string   `level:"global" default:"admin" help:"administrator of Grafana"`
	GrafanaAdminPassword string   `level:"global" secret:"generate" help:"password of Grafana's administrator"`
	GrafanaDatabase      string   `level:"global" default:"sqlite3" oneof:"sqlite3 postgres" help:"where Grafana keeps its state"`
	GrafanaPgurl         string   `level:"global" default:"''" secret:"true" help:"database for grafana_database: postgres"`
	GrafanaPluginMethod  string   `level:"global" default:"install" oneof:"none install always" help:"plugins: none, install when missing, always"`
	GrafanaPluginCache   string   `level:"global" default:"/www/pigsty/plugins.tgz" kind:"path" help:"archive of plugins"`
	GrafanaPluginList    []string `level:"global" default:"[]" help:"plugins to install"`
	GrafanaPluginGit     []string `level:"global" default:"[]" kind:"url" help:"plugins to install from Git"`
	GrafanaCustomizeLogo string   `level:"global" default:"logo.svg" kind:"file" help:"logo of the home page"`
}

// Loki is section LOKI: the store of logs.
type Loki struct {
	LokiEnabled   bool   `level:"cluster" default:"true" help:"run Loki on infrastructure nodes"`
	LokiEndpoint  string `level:"global" default:"''" kind:"url" help:"address that logs are sent to; Loki on the first infrastructure node unless given"`
	LokiClean     bool   `level:"argument" default:"false" help:"nothing: stored logs are wiped by hand, never by an apply"`
	LokiOptions   string `level:"global" default:"-config.file=/etc/loki.yml -config.expand-env=true" help:"options of Loki"`
	LokiDataDir   string `level:"global" default:"/data/loki" kind:"path" help:"data directory"`
	LokiRetention string `level:"global" default:"15d" kind:"duration" help:"how long logs are kept"`
}
