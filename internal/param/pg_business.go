package param

// PgBusiness is section PG_BUSINESS: what applications and their people need.
type PgBusiness struct {
	PgUsers                []User     `level:"cluster" default:"[]" help:"users and roles"`
	PgDatabases            []Database `level:"cluster" default:"[]" help:"databases"`
	PgServicesExtra        []Service  `level:"cluster" default:"[]" help:"services besides pg_services"`
	PgHbaRulesExtra        []HbaRule  `level:"cluster" default:"[]" help:"access rules of PostgreSQL before pg_hba_rules"`
	PgbouncerHbaRulesExtra []HbaRule  `level:"cluster" default:"[]" help:"access rules of pgBouncer besides pgbouncer_hba_rules"`
	PgAdminUsername        string     `level:"global" default:"dbuser_dba" kind:"role" help:"name of the database administrator"`
	PgAdminPassword        string     `level:"global" secret:"generate" help:"password of the database administrator"`
	PgReplicationUsername  string     `level:"global" default:"replicator" kind:"role" help:"name of the replication user"`
	PgReplicationPassword  string     `level:"global" secret:"generate" help:"password of the replication user"`
	PgMonitorUsername      string     `level:"global" default:"dbuser_monitor" kind:"role" help:"name of the monitoring user"`
	PgMonitorPassword      string     `level:"global" secret:"generate" help:"password of the monitoring user"`
}
