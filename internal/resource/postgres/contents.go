package postgres

import (
	"maps"
	"slices"

	"pigsty/internal/resource"
)

// contents is what Database and Privileges want inside a database.
type contents struct {
	schemas    []string
	extensions []Extension
	creator    string              // may create in schema public; empty = nobody
	users      map[string][]string // schema → roles that may use it
}

// contentsRow is what the catalog of a database says of the same.
type contentsRow struct {
	schemas    map[string]acl
	extensions map[string]extensionRow
	// fixed maps extensions that are not installed to the schema that their control file
	// prescribes, where it does.
	fixed map[string]string
}

// extensionRow is an installed extension.
type extensionRow struct {
	schema, version string
	relocatable     bool // its objects can move to another schema
}

// diffContents gives the edits that add what is missing inside a database, and notes: what
// differs and cannot be changed.
func diffContents(want contents, have contentsRow) (edits []edit, notes []string) {
	edits = diffSchemas(want, have)
	for _, e := range want.extensions {
		installed, ok := have.extensions[e.Name]
		switch {
		case e.Absent && ok:
			edits = append(edits, edit{
				Field: resource.Field{Name: "extension " + e.Name, Before: installed.version},
				SQL:   []string{"DROP EXTENSION " + quoteName(e.Name)}, Impact: resource.DataLoss,
			})
		case e.Absent:
		case !ok:
			edits = append(edits, createExtension(e, have.fixed[e.Name]))
		default:
			changed, note := alterExtension(e, installed)
			edits = append(edits, changed...)
			if note != "" {
				notes = append(notes, note)
			}
		}
	}
	return edits, notes
}

// diffSchemas creates schemas, also those that extensions are to go to, and says who may use
// and fill them.
func diffSchemas(want contents, have contentsRow) []edit {
	wanted := slices.Clone(want.schemas)
	for _, e := range want.extensions {
		if e.Schema != "" && !e.Absent {
			wanted = append(wanted, e.Schema)
		}
	}
	var edits []edit
	made := map[string]bool{}
	for _, schema := range wanted {
		if _, ok := have.schemas[schema]; ok || made[schema] {
			continue
		}
		made[schema] = true
		edits = append(edits, edit{Field: resource.Field{Name: "schema", After: schema}, SQL: []string{"CREATE SCHEMA " + quoteName(schema)}})
	}
	if public, ok := have.schemas["public"]; ok {
		const object = `SCHEMA "public"`
		edits = append(edits, public.revoking(object, "", "CREATE")...)
		if want.creator != "" {
			edits = append(edits, public.granting(object, want.creator, "CREATE", false)...)
		}
	}
	for _, schema := range slices.Sorted(maps.Keys(want.users)) {
		for _, user := range want.users[schema] {
			edits = append(edits, have.schemas[schema].granting("SCHEMA "+quoteName(schema), user, "USAGE", false)...)
		}
	}
	return edits
}

// createExtension installs an extension with what it needs. Where neither the inventory nor its
// control file names a schema it goes to the first of search_path, which in our sessions is not
// the public that people expect.
func createExtension(e Extension, fixed string) edit {
	sql := "CREATE EXTENSION " + quoteName(e.Name)
	if e.Schema != "" {
		sql += " SCHEMA " + quoteName(e.Schema)
	}
	if e.Version != "" {
		sql += " VERSION " + quoteText(e.Version)
	}
	create := edit{Field: resource.Field{Name: "extension", After: e.Name}, SQL: []string{sql + " CASCADE"}}
	if e.Schema == "" && fixed == "" {
		create.SQL = []string{"SET LOCAL search_path = public", create.SQL[0], "SET LOCAL search_path = pg_catalog"}
	}
	return create
}

func alterExtension(want Extension, have extensionRow) (edits []edit, note string) {
	name := "extension " + want.Name
	alter := "ALTER EXTENSION " + quoteName(want.Name)
	if want.Version != "" && want.Version != have.version {
		edits = append(edits, edit{
			Field: resource.Field{Name: name + " version", Before: have.version, After: want.Version},
			SQL:   []string{alter + " UPDATE TO " + quoteText(want.Version)},
		})
	}
	switch {
	case want.Schema == "" || want.Schema == have.schema:
	case have.relocatable:
		edits = append(edits, edit{
			Field: resource.Field{Name: name + " schema", Before: have.schema, After: want.Schema},
			SQL:   []string{alter + " SET SCHEMA " + quoteName(want.Schema)},
		})
	default:
		note = name + " stays in schema " + have.schema + ": PostgreSQL cannot move it to " + want.Schema
	}
	return edits, note
}
