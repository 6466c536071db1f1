package param

// Pgsql is what holds for a PostgreSQL instance and its cluster.
type Pgsql struct {
	PgIdentity  `section:"PG_IDENTITY" module:"PGSQL"`
	PgBusiness  `section:"PG_BUSINESS" module:"PGSQL"`
	PgInstall   `section:"PG_INSTALL" module:"PGSQL"`
	PgBootstrap `section:"PG_BOOTSTRAP" module:"PGSQL"`
	PgProvision `section:"PG_PROVISION" module:"PGSQL"`
	PgService   `section:"PG_SERVICE" module:"PGSQL"`
	PgExporter  `section:"PG_EXPORTER" module:"PGSQL"`
}
