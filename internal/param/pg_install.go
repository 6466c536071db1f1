package param

// PgInstall is section PG_INSTALL: the operating system's user and the packages.
type PgInstall struct {
	PgDbsu            string   `level:"cluster" default:"postgres" kind:"user" help:"operating system user that PostgreSQL runs as"`
	PgDbsuUid         int      `level:"cluster" default:"0" min:"0" max:"65533" help:"user id of that user; 0 leaves the choice to the system, and an existing user as it is"`
	PgDbsuSudo        string   `level:"cluster" default:"limit" oneof:"none limit all nopass" help:"what that user may do by sudo: nothing, manage the database's units, or all with or without a password"`
	PgDbsuHome        string   `level:"cluster" default:"/var/lib/pgsql" kind:"path" help:"home directory of that user"`
	PgDbsuSshExchange bool     `level:"cluster" default:"true" help:"let that user go between the members of its cluster by SSH"`
	PgVersion         int      `level:"cluster" default:"0" min:"0" max:"99" help:"major version of PostgreSQL; 0 is the distribution's own"`
	PgdgRepo          bool     `level:"cluster" default:"false" help:"add the package source of the PostgreSQL project"`
	PgAddRepo         bool     `level:"cluster" default:"false" help:"older name of the same wish as pgdg_repo"`
	PgBinDir          string   `level:"cluster" default:"/usr/pgsql/bin" kind:"path" help:"directory of the server's programs, kept as a link to the installed version"`
	PgPackages        []string `level:"cluster" default:"['postgresql-${pg_version}', patroni pgbouncer haproxy vip-manager, pg_exporter pgbadger]" help:"packages of a database node; ${pg_version} is replaced"`
	PgExtensions      []string `level:"cluster" default:"[]" help:"packages of extensions besides those of declared ones; ${pg_version} is replaced"`
}
