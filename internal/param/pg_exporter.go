package param

// PgExporter is section PG_EXPORTER: metrics of PostgreSQL and of its pool.
type PgExporter struct {
	PgExporterConfig          string `level:"cluster" default:"pg_exporter.yml" help:"definition of the metrics: pg_exporter.yml is the built-in one, pg_exporter_basic.yml that without tables, indexes and functions, pg_exporter_fast.yml that for scrapes every second, anything else a file or folder beside the inventory"`
	PgExporterEnabled         bool   `level:"cluster" default:"true" help:"export metrics of PostgreSQL"`
	PgExporterPort            int    `level:"cluster" default:"9630" kind:"port" help:"port of PostgreSQL's metrics"`
	PgExporterParams          string `level:"cluster" default:"sslmode=disable" kind:"urlquery" help:"parameters of the connection URL"`
	PgExporterUrl             string `level:"cluster" default:"''" secret:"true" help:"connection URL, instead of the one made from the parameters"`
	PgExporterAutoDiscovery   bool   `level:"cluster" default:"true" help:"export metrics of every database"`
	PgExporterExcludeDatabase string `level:"cluster" default:"template0,template1,postgres" help:"databases left out of discovery"`
	PgExporterIncludeDatabase string `level:"cluster" default:"''" help:"databases that discovery is limited to"`
	PgExporterOptions         string `level:"cluster" default:"--log.level=info" help:"options of the exporter"`
	PgbouncerExporterEnabled  bool   `level:"cluster" default:"true" help:"export metrics of pgBouncer"`
	PgbouncerExporterPort     int    `level:"cluster" default:"9631" kind:"port" help:"port of pgBouncer's metrics"`
	PgbouncerExporterUrl      string `level:"cluster" default:"''" secret:"true" help:"connection URL, instead of the one made from the parameters"`
	PgbouncerExporterOptions  string `level:"cluster" default:"''" help:"nothing: one process serves PostgreSQL and pgBouncer, with pg_exporter_options"`
}
