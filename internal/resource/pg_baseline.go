package resource

var (
	_ Resource = (*PgBaseline)(nil)
	_          = register(func() Resource { return &PgBaseline{} })
)

// PgBaseline is an SQL script that was run once in a database. That it ran is recorded in the
// database itself, in table monitor.pigsty_baseline. A script that changes afterwards is not run
// again: what it made belongs to the application by then, and a note says so.
type PgBaseline struct {
	Conn     PgConn `json:"conn"`
	Database string `json:"database"`
	Script   string `json:"script"` // its name in the record, such as "cmdb.sql"
	// SQL is the script: plain SQL, without psql's backslash commands or COPY FROM stdin. It
	// runs in one transaction, and must hold no secret.
	SQL string `json:"sql"`
}

func (b *PgBaseline) Kind() string { return "pg_baseline" }
func (b *PgBaseline) Name() string { return b.Database + "/" + b.Script }
