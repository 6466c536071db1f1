package postgres

import (
	"fmt"
	"strings"

	"pigsty/internal/resource"
)

// databaseRow is a database as the catalog has it.
type databaseRow struct {
	owner      string
	encoding   string
	collate    string
	ctype      string
	tablespace string
	allowConn  bool
	connLimit  int
	template   bool // is one that others are copied from
	comment    string
	settings   map[string]string
	acl        acl
	// wanted is the wanted encoding under PostgreSQL's own name for it; empty when it knows none
	// of that name.
	wanted string
}

// invalidDatabase is the connection limit of a database whose DROP DATABASE was interrupted:
// nobody can connect, and it can only be dropped.
const invalidDatabase = -2

// awaits tells whether the database was created for a script that has yet to be loaded. No other
// database is a template that takes no connections: those that are copied are mostly shut.
func (r *databaseRow) awaits() bool { return r.template && r.connLimit == 0 }

func (d *Database) owner() string {
	if d.Owner == "" {
		return d.Conn.user()
	}
	return d.Owner
}

func (d *Database) template() string {
	if d.Template == "" {
		return "template1"
	}
	return d.Template
}

func (d *Database) collate() string {
	if d.LcCollate == "" {
		return d.Locale
	}
	return d.LcCollate
}

func (d *Database) ctype() string {
	if d.LcCtype == "" {
		return d.Locale
	}
	return d.LcCtype
}

// createSQL is the statement that makes the database.
func (d *Database) createSQL() string {
	sql := "CREATE DATABASE " + quoteName(d.Database) + " OWNER " + quoteName(d.owner()) + " TEMPLATE " + quoteName(d.template())
	for _, option := range []struct{ keyword, value string }{
		{"ENCODING", d.Encoding}, {"LC_COLLATE", d.collate()}, {"LC_CTYPE", d.ctype()},
	} {
		if option.value != "" {
			sql += " " + option.keyword + " " + quoteText(option.value)
		}
	}
	if d.Tablespace != "" {
		sql += " TABLESPACE " + quoteName(d.Tablespace)
	}
	if d.Baseline {
		sql += " CONNECTION LIMIT 0 IS_TEMPLATE true"
	}
	return sql
}

// asCreated is the catalog row right after createSQL: everybody may connect, nobody but the
// owner may create, and settings, comment and access list of the template are not copied.
func (d *Database) asCreated() *databaseRow {
	limit := -1
	if d.Baseline {
		limit = 0
	}
	return &databaseRow{
		owner: d.owner(), encoding: d.Encoding, wanted: d.Encoding, collate: d.collate(), ctype: d.ctype(),
		tablespace: d.Tablespace, allowConn: true, connLimit: limit, template: d.Baseline,
		acl: acl{
			{privilege: "CONNECT"},
			{privilege: "TEMPORARY"},
			{grantee: d.owner(), privilege: "CREATE"},
			{grantee: d.owner(), privilege: "CONNECT"},
			{grantee: d.owner(), privilege: "TEMPORARY"},
		},
	}
}

// unchangeable is the error for what PostgreSQL cannot change in a database that exists.
func (d *Database) unchangeable(have *databaseRow) error {
	if have.connLimit == invalidDatabase {
		return fmt.Errorf("database %s is broken: a DROP DATABASE was interrupted; drop it by hand and run again", d.Database)
	}
	if d.Encoding != "" && have.wanted == "" {
		return fmt.Errorf("database %s: PostgreSQL knows no encoding %s", d.Database, d.Encoding)
	}
	var parts []string
	differs := func(what, have, want string, same bool) {
		if want != "" && !same {
			parts = append(parts, fmt.Sprintf("%s is %s and %s is wanted", what, have, want))
		}
	}
	differs("encoding", have.encoding, d.Encoding, have.encoding == have.wanted)
	differs("lc_collate", have.collate, d.collate(), sameLocale(have.collate, d.collate()))
	differs("lc_ctype", have.ctype, d.ctype(), sameLocale(have.ctype, d.ctype()))
	if len(parts) == 0 {
		return nil
	}
	return fmt.Errorf("database %s: %s, which cannot change after creation: move the data into a new database with pg_dump and pg_restore, or write in the inventory what it has", d.Database, strings.Join(parts, "; "))
}

// sameLocale compares names as the C library does: the part after the dot in any spelling, and
// POSIX as another name of C.
func sameLocale(a, b string) bool { return plainLocale(a) == plainLocale(b) }

func plainLocale(name string) string {
	if name == "POSIX" {
		name = "C"
	}
	language, codeset, _ := strings.Cut(name, ".")
	return language + "." + strings.ReplaceAll(strings.ToLower(codeset), "-", "")
}

// diffDatabase gives the edits that make the catalog's database (nil when there is none) the
// wanted one, run from the maintenance database. What lies inside it is diffContents' matter,
// and shutting it is diffShut's.
func diffDatabase(want *Database, have *databaseRow) []edit {
	var edits []edit
	if have == nil {
		edits = append(edits, edit{Field: resource.Field{Name: "owner", After: want.owner()}, SQL: []string{want.createSQL()}, Alone: true})
		have = want.asCreated()
	}
	object := "DATABASE " + quoteName(want.Database)
	alter := func(name, before, after, clause string) {
		if before != after {
			edits = append(edits, edit{Field: resource.Field{Name: name, Before: before, After: after}, SQL: []string{"ALTER " + object + " " + clause}})
		}
	}
	if want.AllowConn {
		alter("accepts connections", yesNo(have.allowConn), "yes", "ALLOW_CONNECTIONS true")
	}
	alter("owner", have.owner, want.owner(), "OWNER TO "+quoteName(want.owner()))
	if awaits := have.awaits(); !awaits || !want.Baseline {
		alter("is a template", yesNo(awaits), "no", "IS_TEMPLATE false")
		alter("connection limit", limitText(have.connLimit), limitText(want.ConnLimit), fmt.Sprintf("CONNECTION LIMIT %d", want.ConnLimit))
	}
	if want.Comment != "" && want.Comment != have.comment {
		edits = append(edits, edit{
			Field: resource.Field{Name: "comment", Before: have.comment, After: want.Comment},
			SQL:   []string{"COMMENT ON " + object + " IS " + quoteText(want.Comment)},
		})
	}
	edits = append(edits, diffSettings(object, want.Parameters, have.settings)...)
	edits = append(edits, diffDatabaseACL(want, object, have.acl.ofOwner(have.owner, want.owner()))...)
	if want.Tablespace != "" && want.Tablespace != have.tablespace {
		edits = append(edits, edit{
			Field: resource.Field{Name: "tablespace", Before: have.tablespace, After: want.Tablespace},
			SQL:   []string{"ALTER " + object + " SET TABLESPACE " + quoteName(want.Tablespace)},
			Alone: true, Impact: resource.Restart,
		})
	}
	return edits
}

// diffDatabaseACL says who may create in the database and who may connect to it.
func diffDatabaseACL(want *Database, object string, have acl) []edit {
	edits := have.revoking(object, "", "CREATE")
	if want.Creator != "" {
		edits = append(edits, have.granting(object, want.Creator, "CREATE", false)...)
	}
	if !want.RevokeConn {
		return append(edits, have.granting(object, "", "CONNECT", false)...)
	}
	edits = append(edits, have.revoking(object, "", "CONNECT")...)
	for _, user := range []struct {
		name   string
		option bool
	}{{want.Replication, false}, {want.Monitor, false}, {want.Admin, true}, {want.owner(), true}} {
		if user.name == "" {
			continue
		}
		granted := have.granting(object, user.name, "CONNECT", user.option)
		if len(granted) > 0 {
			// Two of the names may be one.
			have = append(have, grant{user.name, "CONNECT", user.option})
		}
		edits = append(edits, granted...)
	}
	return edits
}

// diffShut gives the edit that keeps sessions out, which comes after everything that needs one. A
// script that is yet to be loaded needs one, too.
func diffShut(want *Database, have *databaseRow) []edit {
	if want.AllowConn || have != nil && !have.allowConn || want.Baseline && (have == nil || have.awaits()) {
		return nil
	}
	return []edit{{
		Field: resource.Field{Name: "accepts connections", Before: "yes", After: "no"},
		SQL:   []string{"ALTER DATABASE " + quoteName(want.Database) + " ALLOW_CONNECTIONS false"},
	}}
}
