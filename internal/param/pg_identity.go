package param

// PgIdentity is section PG_IDENTITY: which instance of which cluster a node carries.
type PgIdentity struct {
	PgCluster       string                    `level:"cluster" kind:"name" help:"name of the cluster; needed for PostgreSQL"`
	PgShard         string                    `level:"cluster" kind:"name" help:"name of the horizontal shard that the cluster is part of"`
	PgSindex        int                       `level:"cluster" default:"0" min:"0" help:"number of the shard"`
	GpRole          string                    `level:"cluster" oneof:"master segment" help:"part of a Greenplum or MatrixDB cluster"`
	PgRole          string                    `level:"instance" oneof:"primary replica offline standby delayed" help:"part the instance is created for; needed for PostgreSQL"`
	PgSeq           int                       `level:"instance" default:"-1" min:"0" alone:"instance" help:"number of the instance, unique in its cluster; needed for PostgreSQL; -1 stands for none"`
	PgInstances     map[string]map[string]any `level:"instance" default:"{}" help:"instances to be monitored only: exporter port to identity"`
	PgUpstream      string                    `level:"instance" kind:"host" help:"address to replicate from: makes a primary a standby cluster, a replica a cascade"`
	PgOfflineQuery  bool                      `level:"instance" default:"false" help:"let the instance serve offline queries as well"`
	PgBackup        bool                      `level:"instance" default:"false" help:"take the cluster's backups from this instance"`
	PgWeight        int                       `level:"instance" default:"100" min:"0" max:"256" help:"weight of the instance in load balancing"`
	PgHostname      bool                      `level:"cluster" default:"true" help:"name the node after its instance, <pg_cluster>-<pg_seq>"`
	PgPreflightSkip bool                      `level:"argument" default:"false" help:"leave out the checks before anything is changed"`
}
