package resource

var (
	_ Resource = (*PgPrivileges)(nil)
	_          = register(func() Resource { return &PgPrivileges{} })
)

// PgPrivileges is what every database of a cluster has in common: who may use the objects that
// administrators will create in it, and schemas and extensions. List it for template1 before
// any database is created, then for postgres and each managed database.
type PgPrivileges struct {
	Conn     PgConn `json:"conn"`
	Database string `json:"database"`
	// Creators are the roles whose future objects DefaultPrivileges are about.
	Creators []string `json:"creators,omitempty"`
	// DefaultPrivileges are lines such as "GRANT SELECT ON TABLES TO dbrole_readonly". Together
	// they are all that the creators' objects grant to others, besides what PostgreSQL itself
	// gives to PUBLIC: a grant that is in no line is taken back for objects to come.
	DefaultPrivileges []string      `json:"default_privileges,omitempty"`
	Schemas           []string      `json:"schemas,omitempty"`
	Extensions        []PgExtension `json:"extensions,omitempty"`
	// SchemaUsers maps a schema to roles that may use it, such as monitor → the monitoring user.
	SchemaUsers map[string][]string `json:"schema_users,omitempty"`
	// Creator is the role that may create objects in schema public, where everybody may not;
	// empty = nobody but the schema's owner.
	Creator string `json:"creator,omitempty"`
}

func (p *PgPrivileges) Kind() string { return "pg_privileges" }
func (p *PgPrivileges) Name() string { return p.Database }
