package postgres

import "context"

// The letter of pg_default_acl for sequences is S, that of acldefault s.
const defaultLetters = `(VALUES ('n', 'n'), ('r', 'r'), ('S', 's'), ('f', 'f'), ('T', 'T')) AS k(letter, builtin)`

// Role 10 is the bootstrap superuser, taken as an example of an owner.
const builtinQuery = `
SELECT k.letter, x.grantee = 0, x.privilege_type
FROM ` + defaultLetters + `, aclexplode(acldefault(k.builtin::"char", 10)) x`

// A creator without an entry of a kind has what PostgreSQL gives; an entry takes the place of
// that. Entries for one schema only add to it, and are left alone.
const defaultQuery = `
SELECT c.rolname, k.letter, coalesce(g.rolname, ''), x.privilege_type, x.is_grantable
FROM pg_roles c CROSS JOIN ` + defaultLetters + `
     JOIN pg_default_acl d ON d.defaclrole = c.oid AND d.defaclnamespace = 0 AND d.defaclobjtype = k.letter::"char"
     LEFT JOIN LATERAL aclexplode(d.defaclacl) x ON true LEFT JOIN pg_roles g ON g.oid = x.grantee
WHERE c.rolname = ANY($1)`

// readBuiltinDefaults asks what this version of PostgreSQL gives by itself.
func (s session) readBuiltinDefaults(ctx context.Context) (defaultBuiltin, error) {
	b := defaultBuiltin{all: map[string][]string{}, public: map[string][]string{}}
	var letter, privilege string
	var public bool
	err := s.forEach(ctx, builtinQuery, nil, []any{&letter, &public, &privilege}, func() {
		if public {
			b.public[letter] = append(b.public[letter], privilege)
			return
		}
		b.all[letter] = append(b.all[letter], privilege)
	})
	return b, problem("look at built-in privileges", err)
}

// readDefaults reads the default privileges of roles in the session's database: creator → kind
// → list.
func (s session) readDefaults(ctx context.Context, creators []string) (map[string]map[string]acl, error) {
	have := map[string]map[string]acl{}
	var creator, letter, grantee string
	var privilege *string
	var option *bool
	err := s.forEach(ctx, defaultQuery, []any{creators}, []any{&creator, &letter, &grantee, &privilege, &option}, func() {
		if have[creator] == nil {
			have[creator] = map[string]acl{}
		}
		list := have[creator][letter]
		if privilege != nil {
			list = append(list, grant{grantee, *privilege, *option})
		}
		have[creator][letter] = list
	})
	return have, problem("look at default privileges", err)
}
