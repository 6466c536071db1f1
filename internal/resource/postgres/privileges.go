package postgres

import (
	"context"
	"errors"
	"slices"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Privileges)(nil)
	_                   = resource.Register(func() resource.Resource { return &Privileges{} })
)

// Privileges is what every database of a cluster has in common: who may use the objects that
// administrators will create in it, and schemas and extensions. List it for template1 before
// any database is created, then for postgres and each managed database.
type Privileges struct {
	Conn     Conn   `json:"conn"`
	Database string `json:"database"`
	// Creators are the roles whose future objects DefaultPrivileges are about.
	Creators []string `json:"creators,omitempty"`
	// DefaultPrivileges are lines such as "GRANT SELECT ON TABLES TO dbrole_readonly". Together
	// they are all that the creators' objects grant to others, besides what PostgreSQL itself
	// gives to PUBLIC: a grant that is in no line is taken back for objects to come.
	DefaultPrivileges []string    `json:"default_privileges,omitempty"`
	Schemas           []string    `json:"schemas,omitempty"`
	Extensions        []Extension `json:"extensions,omitempty"`
	// SchemaUsers maps a schema to roles that may use it, such as monitor → the monitoring user.
	SchemaUsers map[string][]string `json:"schema_users,omitempty"`
	// Creator is the role that may create objects in schema public, where everybody may not;
	// empty = nobody but the schema's owner.
	Creator string `json:"creator,omitempty"`
	// Monitoring brings v1.5's views and functions into schema monitor, which Schemas has to list.
	Monitoring bool `json:"monitoring,omitempty"`
	// BackupUser may call the functions that a backup takes; empty = nobody but the superuser.
	BackupUser string `json:"backup_user,omitempty"`
}

func (p *Privileges) Kind() string { return "pg_privileges" }
func (p *Privileges) Name() string { return p.Database }

func (p *Privileges) contents() contents {
	return contents{schemas: p.Schemas, extensions: p.Extensions, creator: p.Creator, users: p.SchemaUsers}
}

// Diff compares default privileges, schemas and extensions with the database's catalog.
func (p *Privileges) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	edits, err := p.edits(ctx, h)
	if errors.Is(err, errNoServer) {
		if edits, err = p.unseen(); err != nil {
			return nil, err
		}
		return changeOf(resource.Create, edits), nil
	}
	return changeOf(resource.Update, edits), err
}

// unseen tells of everything as to be created, where there is no database to look at yet.
func (p *Privileges) unseen() ([]edit, error) {
	var edits []edit
	for _, line := range p.DefaultPrivileges {
		if _, err := parseDefaultLine(line); err != nil {
			return nil, err
		}
		edits = append(edits, edit{Field: resource.Field{Name: "default privilege", After: line}})
	}
	inside, _ := diffContents(p.contents(), contentsRow{})
	return slices.Concat(edits, inside, p.monitoring(monitoringRow{})), nil
}

// monitoring gives the edits for what v1.5 brings for monitoring and backups.
func (p *Privileges) monitoring(have monitoringRow) []edit {
	var edits []edit
	if p.Monitoring {
		edits = diffMonitoring(have)
	}
	if p.BackupUser != "" {
		edits = append(edits, diffBackupUser(have, p.BackupUser)...)
	}
	return edits
}

func (p *Privileges) edits(ctx context.Context, h *resource.Host) ([]edit, error) {
	s, err := p.Conn.session(ctx, h, p.Database)
	if err != nil {
		return nil, err
	}
	builtin, err := s.readBuiltinDefaults(ctx)
	if err != nil {
		return nil, err
	}
	want, err := wantDefaults(p.DefaultPrivileges, builtin)
	if err != nil {
		return nil, err
	}
	have, err := s.readDefaults(ctx, p.Creators)
	if err != nil {
		return nil, err
	}
	// Before the schemas and extensions, so that it holds for what those bring.
	var edits []edit
	for _, creator := range p.Creators {
		edits = append(edits, diffDefaults(creator, want, have[creator], builtin)...)
	}
	inside, err := p.Conn.diffInside(ctx, h, p.Database, p.contents())
	edits = append(edits, inside...)
	if err != nil || !p.Monitoring && p.BackupUser == "" {
		return edits, err
	}
	row, err := s.readMonitoring(ctx, p.BackupUser)
	return append(edits, p.monitoring(row)...), err
}

// Apply makes the changes in one transaction.
func (p *Privileges) Apply(ctx context.Context, h *resource.Host) error {
	edits, err := p.edits(ctx, h)
	if err != nil {
		return err
	}
	s, err := p.Conn.session(ctx, h, p.Database)
	if err != nil {
		return err
	}
	return s.run(ctx, "set up privileges in database "+p.Database, edits)
}
