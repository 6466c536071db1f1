package param

// PgProvision is section PG_PROVISION: what every new cluster contains. The defaults that are
// lists stand in defaults.yml.
type PgProvision struct {
	PgProvision         bool        `level:"cluster" default:"true" help:"create the roles, schemas and extensions below"`
	PgInit              string      `level:"cluster" default:"pg-init" kind:"file" help:"name of the script that a new cluster is initialised with"`
	PgDbsuPassword      string      `level:"global" secret:"true" help:"password of pg_dbsu; none unless given"`
	PgDefaultRoles      []Role      `level:"cluster" help:"roles of every cluster"`
	PgDefaultPrivileges []string    `level:"cluster" kind:"grant" help:"GRANT lines for objects that administrators create"`
	PgDefaultSchemas    []string    `level:"cluster" default:"[monitor]" help:"schemas of every database"`
	PgDefaultExtensions []Extension `level:"cluster" help:"extensions of every database"`
	PgReload            bool        `level:"argument" default:"true" help:"reload after access rules change"`
	PgHbaRules          []HbaRule   `level:"cluster" help:"access rules of PostgreSQL"`
	PgbouncerHbaRules   []HbaRule   `level:"cluster" help:"access rules of pgBouncer"`
}
