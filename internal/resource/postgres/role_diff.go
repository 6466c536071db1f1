package postgres

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pigsty/internal/resource"
)

// roleRow is a role as the catalog has it.
type roleRow struct {
	oid         uint32
	login       bool
	superuser   bool
	createDB    bool
	createRole  bool
	replication bool
	bypassRLS   bool
	inherit     bool
	connLimit   int
	password    string     // empty = none
	validUntil  *time.Time // nil = for ever, which the catalog writes as NULL or infinity
	comment     string
	members     []membership // what it is a member of
	settings    map[string]string
}

// membership is a grant of another role.
type membership struct {
	role string
	// inherit is whether the grant gives its rights without SET ROLE. Since PostgreSQL 16 each
	// grant has its own, set from the role's attribute at the time of the grant.
	inherit  bool
	grantors []string // who granted it; since PostgreSQL 16 each grant is a row of its own
}

// grantsOfTheirOwn is the major version since which memberships have grantors and options.
const grantsOfTheirOwn = 16

// diffRole gives the edits that make the catalog's role (nil when there is none) the wanted
// one. now is the node's clock, from which ExpireIn counts.
func diffRole(want *Role, have *roleRow, version int, now time.Time) []edit {
	var edits []edit
	if have == nil {
		edits = append(edits, edit{SQL: []string{"CREATE ROLE " + quoteName(want.Role)}})
		// As CREATE ROLE makes it.
		have = &roleRow{inherit: true, connLimit: -1}
	}
	edits = append(edits, diffAttributes(want, have)...)
	password, changed := diffPassword(want, have)
	edits = append(edits, password...)
	edits = append(edits, diffExpiry(want, have, changed || have.oid == 0, now)...)
	if want.Comment != "" && want.Comment != have.comment {
		edits = append(edits, edit{
			Field: resource.Field{Name: "comment", Before: have.comment, After: want.Comment},
			SQL:   []string{"COMMENT ON ROLE " + quoteName(want.Role) + " IS " + quoteText(want.Comment)},
		})
	}
	edits = append(edits, diffMemberships(want, have, version)...)
	return append(edits, diffSettings("ROLE "+quoteName(want.Role), want.Parameters, have.settings)...)
}

func (r *Role) alter(option string) []string {
	return []string{"ALTER ROLE " + quoteName(r.Role) + " " + option}
}

// diffAttributes compares the switches and the limit of sessions.
func diffAttributes(want *Role, have *roleRow) []edit {
	var edits []edit
	attribute := func(name, keyword string, want, have bool, alter func(string) []string) {
		if want == have {
			return
		}
		if !want {
			keyword = "NO" + keyword
		}
		edits = append(edits, edit{Field: resource.Field{Name: name, Before: yesNo(have), After: yesNo(want)}, SQL: alter(keyword)})
	}
	implied := want.Superuser && have.superuser
	attribute("login", "LOGIN", want.Login, have.login, want.alter)
	attribute("superuser", "SUPERUSER", want.Superuser, have.superuser, want.alter)
	attribute("createdb", "CREATEDB", want.CreateDB || implied && have.createDB, have.createDB, want.alter)
	attribute("createrole", "CREATEROLE", want.CreateRole || implied && have.createRole, have.createRole, want.alter)
	attribute("inherit", "INHERIT", want.Inherit, have.inherit, want.alter)
	attribute("replication", "REPLICATION", want.Replication || implied && have.replication, have.replication, want.alter)
	attribute("bypassrls", "BYPASSRLS", want.BypassRLS || implied && have.bypassRLS, have.bypassRLS, want.alter)
	if want.ConnLimit != have.connLimit {
		edits = append(edits, edit{
			Field: resource.Field{Name: "connection limit", Before: limitText(have.connLimit), After: limitText(want.ConnLimit)},
			SQL:   want.alter(fmt.Sprintf("CONNECTION LIMIT %d", want.ConnLimit)),
		})
	}
	return edits
}

// diffPassword compares what PostgreSQL stores of the password, and tells whether it differs.
func diffPassword(want *Role, have *roleRow) (edits []edit, changed bool) {
	if want.Verifier == "" || want.Verifier == have.password {
		return nil, false
	}
	before := ""
	if have.password != "" {
		before = "secret"
	}
	return []edit{{
		Field:  resource.Field{Name: "password", Before: before, After: "secret, " + verifierKind(want.Verifier)},
		SQL:    want.alter("PASSWORD " + quoteText(want.Verifier)),
		Secret: true,
	}}, true
}

func verifierKind(verifier string) string {
	kind, _, _ := strings.Cut(verifier, "$")
	if kind == "SCRAM-SHA-256" {
		return "scram-sha-256"
	}
	return "md5"
}

// diffExpiry compares when the password expires. An expiry in days is counted once, when the
// role or its password is new; a date that is there already is left to run out.
func diffExpiry(want *Role, have *roleRow, fresh bool, now time.Time) []edit {
	var until *time.Time
	switch {
	case want.ExpireIn > 0:
		if have.validUntil != nil && !fresh {
			return nil
		}
		t := now.UTC().Truncate(time.Second).AddDate(0, 0, want.ExpireIn)
		until = &t
	case want.ValidUntil != "":
		// Checked by Role.check.
		t, _ := time.Parse(time.RFC3339, want.ValidUntil)
		until = &t
	}
	if expiry(until) == expiry(have.validUntil) {
		return nil
	}
	return []edit{{
		Field: resource.Field{Name: "valid until", Before: expiry(have.validUntil), After: expiry(until)},
		SQL:   want.alter("VALID UNTIL " + quoteText(expiry(until))),
	}}
}

// expiry writes a time for VALID UNTIL. For ever is infinity: there is no way back to NULL.
func expiry(t *time.Time) string {
	if t == nil {
		return "infinity"
	}
	return t.UTC().Format(time.RFC3339)
}

// diffMemberships grants what is missing and revokes what is to go.
func diffMemberships(want *Role, have *roleRow, version int) []edit {
	find := func(role string) int {
		return slices.IndexFunc(have.members, func(m membership) bool { return m.role == role })
	}
	var edits []edit
	for _, role := range want.Roles {
		n := find(role)
		grant := "GRANT " + quoteName(role) + " TO " + quoteName(want.Role)
		switch {
		case n < 0 && version < grantsOfTheirOwn:
			edits = append(edits, edit{Field: resource.Field{Name: "member of", After: role}, SQL: []string{grant}})
		case n < 0:
			edits = append(edits, edit{Field: resource.Field{Name: "member of", After: role}, SQL: []string{grant + inheritOption(want.Inherit)}})
		case version >= grantsOfTheirOwn && have.members[n].inherit != want.Inherit:
			edits = append(edits, edit{
				Field: resource.Field{Name: "inherits from " + role, Before: yesNo(have.members[n].inherit), After: yesNo(want.Inherit)},
				SQL:   []string{grant + inheritOption(want.Inherit)},
			})
		}
	}
	for _, m := range have.members {
		if want.leaves(m.role) {
			edits = append(edits, edit{Field: resource.Field{Name: "member of", Before: m.role}, SQL: revokeMembership(want.Role, m, version)})
		}
	}
	return edits
}

// leaves tells whether the role is not to be a member of another one.
func (r *Role) leaves(role string) bool {
	known := slices.Contains(r.Declared, role) || len(r.Declared) > 0 && strings.HasPrefix(role, "pg_")
	return slices.Contains(r.NotRoles, role) || known && !slices.Contains(r.Roles, role)
}

func inheritOption(on bool) string {
	if on {
		return " WITH INHERIT TRUE"
	}
	return " WITH INHERIT FALSE"
}

// revokeMembership takes back the grants of every grantor: without a name, REVOKE only reaches
// those of the one who runs it.
func revokeMembership(member string, m membership, version int) []string {
	revoke := "REVOKE " + quoteName(m.role) + " FROM " + quoteName(member)
	if version < grantsOfTheirOwn {
		return []string{revoke}
	}
	var sql []string
	for _, g := range m.grantors {
		sql = append(sql, revoke+" GRANTED BY "+quoteName(g))
	}
	return sql
}
