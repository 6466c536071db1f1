package postgres

import (
	"slices"
	"strings"

	"pigsty/internal/resource"
)

// grant is one privilege of one grantee, as aclexplode tells it.
type grant struct {
	grantee   string // role; empty = PUBLIC, everybody
	privilege string // such as "CONNECT"
	option    bool   // may pass it on
}

// acl is the access list of one object.
type acl []grant

// has tells whether the grantee was given the privilege, with the right to pass it on where
// that is asked for.
func (a acl) has(grantee, privilege string, option bool) bool {
	return slices.ContainsFunc(a, func(g grant) bool {
		return g.grantee == grantee && g.privilege == privilege && (g.option || !option)
	})
}

// ofOwner is the list after the object changed its owner: PostgreSQL gives the old owner's
// entries to the new one (aclnewowner).
func (a acl) ofOwner(before, after string) acl {
	renamed := slices.Clone(a)
	for i := range renamed {
		if renamed[i].grantee == before {
			renamed[i].grantee = after
		}
	}
	return renamed
}

// granting is the edit that gives a privilege on an object, such as `DATABASE "app"`; nil when
// the grantee has it.
func (a acl) granting(object, grantee, privilege string, option bool) []edit {
	if a.has(grantee, privilege, option) {
		return nil
	}
	sql := "GRANT " + privilege + " ON " + object + " TO " + quoteGrantee(grantee)
	after := aclText(grantee)
	if option {
		sql += " WITH GRANT OPTION"
		after += ", who may pass it on"
	}
	return []edit{{Field: resource.Field{Name: aclField(object, privilege), After: after}, SQL: []string{sql}}}
}

// revoking is the edit that takes a privilege away; nil when the grantee does not have it.
func (a acl) revoking(object, grantee, privilege string) []edit {
	if !a.has(grantee, privilege, false) {
		return nil
	}
	return []edit{{
		Field: resource.Field{Name: aclField(object, privilege), Before: aclText(grantee)},
		SQL:   []string{"REVOKE " + privilege + " ON " + object + " FROM " + quoteGrantee(grantee)},
	}}
}

func aclField(object, privilege string) string {
	kind, name, _ := strings.Cut(object, " ")
	name, _ = quotedName(strings.TrimPrefix(name, `"`))
	return strings.ToLower(privilege+" on "+kind) + " " + name
}

func aclText(grantee string) string {
	if grantee == "" {
		return "everybody"
	}
	return grantee
}

func quoteGrantee(grantee string) string {
	if grantee == "" {
		return "PUBLIC"
	}
	return quoteName(grantee)
}
