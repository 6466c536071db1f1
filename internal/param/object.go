package param

// User is an entry of pg_users: a PostgreSQL user or role.
type User struct {
	Name          string            `required:"true" help:"name of the user"`
	State         string            `default:"create" oneof:"create absent" help:"absent removes the user, create makes sure it is there"`
	Password      string            `secret:"true" help:"password, in the clear or as PostgreSQL stores it"`
	Login         bool              `default:"true" help:"may log in"`
	Superuser     bool              `default:"false" help:"bypasses every check"`
	Createdb      bool              `default:"false" help:"may create databases"`
	Createrole    bool              `default:"false" help:"may create roles"`
	Inherit       bool              `default:"true" help:"has the rights of its roles without SET ROLE"`
	Replication   bool              `default:"false" help:"may replicate"`
	Bypassrls     bool              `default:"false" help:"ignores row level security"`
	Pgbouncer     bool              `default:"false" help:"may use pgBouncer"`
	Admin         bool              `default:"false" help:"administrator of pgBouncer"`
	PoolMode      string            `oneof:"session transaction statement" help:"pool mode of this user; pgbouncer_poolmode unless given"`
	PoolConnlimit int               `default:"-1" min:"-1" help:"most connections of the user through pgBouncer; -1 for no limit"`
	Connlimit     int               `default:"-1" min:"-1" help:"most connections of the user; -1 for no limit"`
	ExpireIn      int               `default:"0" min:"0" help:"days until the password expires; wins over expire_at; 0 for never"`
	ExpireAt      string            `kind:"date" help:"day on which the password expires, YYYY-MM-DD"`
	Comment       string            `help:"what the user is for"`
	Roles         []Membership      `default:"[]" help:"roles that the user is a member of; it leaves other roles of the inventory, and pg_… ones"`
	Parameters    map[string]string `default:"{}" help:"settings for the user's sessions"`
}

// Role is an entry of pg_default_roles; it is described as a user is.
type Role = User

// Membership is an entry of a user's roles; a bare name stands for an entry with that name alone.
type Membership struct {
	Name  string `required:"true" kind:"role" help:"name of the role"`
	State string `default:"create" oneof:"create absent" help:"absent takes the membership away, also in a role that the inventory does not know"`
}

// Database is an entry of pg_databases. Empty locale fields take those of the cluster.
type Database struct {
	Name               string            `required:"true" help:"name of the database"`
	State              string            `default:"create" oneof:"create absent" help:"absent removes the database, create makes sure it is there"`
	Baseline           string            `help:"SQL file to load once, when the database is created; relative to the inventory"`
	Owner              string            `help:"owner; pg_dbsu unless given"`
	Template           string            `default:"template1" help:"database to copy"`
	Encoding           string            `help:"encoding; pg_encoding unless given"`
	Locale             string            `help:"locale; that of the cluster unless given"`
	LcCollate          string            `help:"sort order; that of the cluster unless given"`
	LcCtype            string            `help:"character classes; those of the cluster unless given"`
	Tablespace         string            `default:"pg_default" help:"default tablespace"`
	Allowconn          bool              `default:"true" help:"accepts connections"`
	Revokeconn         bool              `default:"false" help:"only the owner, administrators, monitoring and replication may connect"`
	Pgbouncer          bool              `default:"true" help:"served by pgBouncer"`
	PoolMode           string            `oneof:"session transaction statement" help:"pool mode of this database; pgbouncer_poolmode unless given"`
	PoolSize           int               `default:"0" min:"0" help:"server connections of each pool; 0 for pgBouncer's default"`
	PoolConnlimit      int               `default:"0" min:"0" help:"most server connections; 0 for pgbouncer_max_db_conn"`
	RegisterDatasource bool              `default:"true" help:"becomes a Grafana data source"`
	Comment            string            `help:"what the database is for"`
	Connlimit          int               `default:"-1" min:"-1" help:"most connections; -1 for no limit"`
	Schemas            []string          `default:"[]" help:"schemas to create"`
	Extensions         []Extension       `default:"[]" help:"extensions to create"`
	Parameters         map[string]string `default:"{}" help:"settings for sessions in the database"`
}

// Extension is an entry of pg_default_extensions and of a database's extensions; a bare name
// stands for an entry with that name alone.
type Extension struct {
	Name    string `required:"true" help:"name of the extension"`
	Schema  string `help:"schema to put it in; the extension's own unless given"`
	Version string `help:"version to install; the newest available unless given"`
	State   string `default:"create" oneof:"create absent" help:"absent drops the extension, create makes sure it is there"`
}

// Service is an entry of pg_services: a port that HAProxy offers on every member.
type Service struct {
	Name           string         `required:"true" kind:"name" help:"name; clients see <pg_cluster>-<name>"`
	SrcIp          string         `default:"'*'" kind:"bind" help:"address to listen on: * for all, vip for vip_address, or an address"`
	SrcPort        int            `required:"true" kind:"port" help:"port to listen on"`
	DstPort        string         `default:"pgbouncer" kind:"port" words:"postgres pgbouncer" help:"port on the members: postgres, pgbouncer or a number"`
	CheckMethod    string         `default:"http" oneof:"http" help:"how health is asked for"`
	CheckPort      string         `default:"patroni" kind:"port" words:"patroni pg_exporter none" help:"port to ask for health: patroni, pg_exporter or a number"`
	CheckUrl       string         `default:"/read-only" help:"path to ask for health"`
	CheckCode      int            `default:"200" min:"100" max:"599" help:"HTTP status of a healthy member"`
	Selector       string         `default:"'[]'" kind:"jmespath" help:"members that serve, by JMESPath over their variables"`
	SelectorBackup string         `kind:"jmespath" help:"members that serve when none of the selector's does"`
	Haproxy        ServiceHaproxy `default:"{}" help:"HAProxy settings of the service"`
}

// ServiceHaproxy are a service's HAProxy settings.
type ServiceHaproxy struct {
	Maxconn              int    `default:"3000" min:"1" help:"most client connections"`
	Balance              string `default:"roundrobin" help:"balancing algorithm"`
	DefaultServerOptions string `help:"options of every server line; when empty v1.5's, with the check times that pg_rto says"`
}

// HbaRule is an entry of pg_hba_rules: either raw lines in Rules, or one rule by User, Db, Addr
// and Auth, which is in use when Rules is empty.
type HbaRule struct {
	Title string   `help:"what the rule is for"`
	State string   `default:"create" oneof:"create absent" help:"absent takes the rule out, as if it were not in the list"`
	Role  string   `default:"common" oneof:"common primary replica offline standby delayed" help:"instances it holds for, by pg_role"`
	Rules []string `default:"[]" kind:"hbaline" help:"lines of pg_hba.conf as they are"`
	User  string   `default:"all" help:"users: all, a name, +role, or several with commas"`
	Db    string   `default:"all" help:"databases: all, replication, a name, or several with commas"`
	Addr  string   `kind:"hbaaddr" help:"clients: local, localhost, admin, infra, cluster, intra, world, all, an address or a network"`
	Auth  string   `oneof:"deny reject trust pwd sha scram-sha-256 md5 ssl ssl-md5 ssl-sha cert os ident peer" help:"how they prove who they are"`
	Order int      `default:"0" help:"place among the rules, lowest first; equal ones keep the order of the list"`
}
