package param

// PgBootstrap is section PG_BOOTSTRAP: how a cluster comes up, and its connection pool.
type PgBootstrap struct {
	PgSafeguard         bool              `level:"cluster" default:"true" help:"refuse to remove an instance"`
	PgClean             bool              `level:"cluster" default:"false" help:"let a removal delete data at once (--now) instead of setting them aside"`
	PgData              string            `level:"cluster" default:"/pg/data" kind:"path" help:"data directory"`
	PgFsMain            string            `level:"cluster" default:"/data" kind:"path" help:"mount point of the main disk"`
	PgFsBkup            string            `level:"cluster" default:"/data/backups" kind:"path" help:"mount point of the disk for backups"`
	PgDummyFilesize     string            `level:"cluster" default:"64MiB" kind:"size" help:"size of a file to delete when the disk is full"`
	PgListen            string            `level:"cluster" default:"0.0.0.0" kind:"listen" help:"addresses to listen on, separated by commas"`
	PgPort              int               `level:"cluster" default:"5432" kind:"port" help:"port of PostgreSQL"`
	PgLocalhost         string            `level:"cluster" default:"/var/run/postgresql" help:"directory of the Unix socket, or an address, for local connections"`
	PatroniEnabled      bool              `level:"cluster" default:"true" help:"run Patroni, which runs PostgreSQL; off stops both"`
	PatroniMode         string            `level:"cluster" default:"default" oneof:"default pause remove" help:"pause: put the cluster into maintenance mode once it is up; remove is refused"`
	PgRto               string            `level:"cluster" oneof:"fast norm safe wide" help:"how soon a lost leader is replaced, and for how short a trouble the leader moves; v1.5's times when empty"`
	PgSyncMode          string            `level:"cluster" oneof:"async sync quorum" help:"which replicas confirm a write before the client is told: none, chosen ones, or any of all (needs Patroni 4, so Debian 13); as pg_conf says when empty"`
	PgSyncCount         int               `level:"cluster" default:"1" min:"1" max:"32" help:"how many replicas confirm a write where pg_sync_mode has them do so; fewer while there are fewer"`
	PgSyncStrict        bool              `level:"cluster" default:"false" help:"make writes wait while no replica is there to confirm them; else the cluster goes on without"`
	PgDcsType           string            `level:"global" default:"etcd" oneof:"etcd consul" help:"store that elects the leader"`
	PgNamespace         string            `level:"cluster" default:"/pg" kind:"path" help:"prefix of Patroni's keys in the store"`
	PatroniPort         int               `level:"cluster" default:"8008" kind:"port" help:"port of Patroni's API"`
	PatroniUsername     string            `level:"cluster" default:"postgres" help:"user of Patroni's API"`
	PatroniPassword     string            `level:"global" secret:"generate" help:"password of Patroni's API"`
	PatroniSslEnabled   bool              `level:"cluster" default:"true" help:"serve Patroni's API over TLS"`
	PatroniWatchdogMode string            `level:"cluster" default:"automatic" oneof:"off automatic required" help:"use of the kernel's watchdog"`
	PgEtcdPassword      string            `level:"cluster" secret:"true" help:"password of the cluster's user in etcd; empty = one derived for each cluster"`
	PgConf              string            `level:"cluster" default:"tiny.yml" oneof:"oltp.yml olap.yml crit.yml tiny.yml mini.yml small.yml medium.yml large.yml" help:"tuning template: latency, throughput, durability, or a small machine"`
	PgMaxConn           int               `level:"cluster" default:"0" min:"0" max:"262143" help:"max_connections; 0 lets the template decide"`
	PgSharedBufferRatio float64           `level:"cluster" default:"0.25" min:"0.1" max:"0.4" help:"share of memory for shared_buffers"`
	PgParameters        map[string]string `level:"cluster" default:"{}" help:"PostgreSQL settings over those of the template"`
	PgLibs              string            `level:"cluster" default:"pg_stat_statements, auto_explain" help:"shared_preload_libraries; those that declared extensions need join them"`
	PgDelay             string            `level:"instance" default:"0" kind:"interval" help:"how far a replica or standby cluster stays behind"`
	PgChecksum          bool              `level:"cluster" default:"true" help:"checksums on data pages"`
	PgPwdEnc            string            `level:"cluster" default:"scram-sha-256" oneof:"scram-sha-256 md5" help:"how passwords are stored"`
	PgEncoding          string            `level:"cluster" default:"UTF8" help:"encoding of new databases"`
	PgLocale            string            `level:"cluster" default:"C" help:"locale of new databases"`
	PgLcCollate         string            `level:"cluster" default:"C" help:"sort order of new databases"`
	PgLcCtype           string            `level:"cluster" default:"C.UTF-8" help:"character classes of new databases"`
	PgbouncerEnabled    bool              `level:"cluster" default:"true" help:"run pgBouncer beside PostgreSQL"`
	PgbouncerPort       int               `level:"cluster" default:"6432" kind:"port" help:"port of pgBouncer"`
	PgbouncerPoolmode   string            `level:"cluster" default:"transaction" oneof:"session transaction statement" help:"when a server connection goes back to the pool"`
	PgbouncerMaxDbConn  int               `level:"cluster" default:"100" min:"0" help:"most server connections for each database; 0 for no limit"`
	PgbouncerAuthQuery  bool              `level:"cluster" default:"false" help:"let pgBouncer ask PostgreSQL for users and passwords instead of keeping a list"`
	PgbouncerSslmode    string            `level:"cluster" default:"prefer" oneof:"disable allow prefer require verify-ca verify-full" help:"TLS between clients and pgBouncer"`
}
