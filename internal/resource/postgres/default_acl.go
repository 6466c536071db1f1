package postgres

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"pigsty/internal/resource"
)

// defaultKinds are the kinds of objects that default privileges are about: the letter in
// pg_default_acl.defaclobjtype, and the words in SQL.
var defaultKinds = []struct{ letter, word, alias string }{
	{"n", "SCHEMAS", ""}, {"r", "TABLES", ""}, {"S", "SEQUENCES", ""}, {"f", "FUNCTIONS", "ROUTINES"}, {"T", "TYPES", ""},
}

// defaultLine is one GRANT or REVOKE line of the inventory.
type defaultLine struct {
	revoke     bool
	privileges []string // upper case; "ALL" for all of them
	kind       string   // letter of defaultKinds
	grantees   []string // empty = PUBLIC
	option     bool
}

var (
	defaultPattern = regexp.MustCompile(`(?is)^\s*(GRANT|REVOKE)\s+(.+?)\s+ON\s+(\w+)\s+(TO|FROM)\s+(.+?)(\s+WITH\s+GRANT\s+OPTION)?\s*;?\s*$`)
	privilegeWord  = regexp.MustCompile(`^[A-Z]+$`)
)

// parseDefaultLine reads a line such as "GRANT USAGE, UPDATE ON SEQUENCES TO dbrole_readwrite".
func parseDefaultLine(line string) (defaultLine, error) {
	m := defaultPattern.FindStringSubmatch(line)
	if m == nil || strings.EqualFold(m[1], "GRANT") != strings.EqualFold(m[4], "TO") {
		return defaultLine{}, fmt.Errorf("default privilege %q: write it like GRANT SELECT ON TABLES TO dbrole_readonly", line)
	}
	d := defaultLine{revoke: strings.EqualFold(m[1], "REVOKE"), option: m[6] != ""}
	for _, p := range strings.Split(strings.ToUpper(m[2]), ",") {
		p = strings.TrimSpace(strings.Replace(p, "ALL PRIVILEGES", "ALL", 1))
		if !privilegeWord.MatchString(p) {
			return d, fmt.Errorf("default privilege %q: %q is no privilege", line, p)
		}
		d.privileges = append(d.privileges, p)
	}
	for _, k := range defaultKinds {
		if word := strings.ToUpper(m[3]); word == k.word || word == k.alias {
			d.kind = k.letter
		}
	}
	if d.kind == "" {
		return d, fmt.Errorf("default privilege %q: %s is none of SCHEMAS, TABLES, SEQUENCES, FUNCTIONS and TYPES", line, m[3])
	}
	for _, name := range splitNames(m[5]) {
		if name == "public" {
			name = ""
		}
		d.grantees = append(d.grantees, name)
	}
	return d, nil
}

// defaultBuiltin is what PostgreSQL gives without any default privileges, by kind.
type defaultBuiltin struct {
	all    map[string][]string // to the owner: every privilege that there is
	public map[string][]string // to everybody
}

// defaultWant is what lines ask for, by kind.
type defaultWant struct {
	grants acl
	// named are PUBLIC's own privileges that some line speaks of; others stay as they are.
	named []string
}

// wantDefaults reads lines in their order: a later one outweighs an earlier one.
func wantDefaults(lines []string, builtin defaultBuiltin) (map[string]defaultWant, error) {
	want := map[string]defaultWant{}
	for _, line := range lines {
		d, err := parseDefaultLine(line)
		if err != nil {
			return nil, err
		}
		w := want[d.kind]
		privileges := d.privileges
		if slices.Contains(privileges, "ALL") {
			privileges = builtin.all[d.kind]
		}
		for _, grantee := range d.grantees {
			for _, p := range privileges {
				w.take(grant{grantee, p, d.option}, d.revoke)
			}
		}
		want[d.kind] = w
	}
	return want, nil
}

func (w *defaultWant) take(g grant, revoke bool) {
	w.grants = slices.DeleteFunc(w.grants, func(o grant) bool { return o.grantee == g.grantee && o.privilege == g.privilege })
	if !revoke {
		w.grants = append(w.grants, g)
	}
	if g.grantee == "" {
		w.named = append(w.named, g.privilege)
	}
}

// diffDefaults gives the edits that make the default privileges of one creator exactly those
// wanted. have is by kind; a kind that is not in it has what PostgreSQL gives.
func diffDefaults(creator string, want map[string]defaultWant, have map[string]acl, builtin defaultBuiltin) []edit {
	var edits []edit
	for _, k := range defaultKinds {
		current, ok := have[k.letter]
		if !ok {
			for _, p := range builtin.public[k.letter] {
				current = append(current, grant{privilege: p})
			}
		}
		w := want[k.letter]
		untouched := func(g grant) bool {
			own := g.grantee == "" && slices.Contains(builtin.public[k.letter], g.privilege)
			return g.grantee == creator || own && !slices.Contains(w.named, g.privilege)
		}
		var missing, extra, option acl
		for _, g := range w.grants {
			if !untouched(g) && !current.has(g.grantee, g.privilege, g.option) {
				missing = append(missing, g)
			}
		}
		for _, g := range current {
			switch {
			case untouched(g):
			case !w.grants.has(g.grantee, g.privilege, false):
				extra = append(extra, g)
			case g.option && !w.grants.has(g.grantee, g.privilege, true):
				option = append(option, g)
			}
		}
		edits = append(edits, defaultEdits(creator, k.word, "REVOKE ", extra)...)
		edits = append(edits, defaultEdits(creator, k.word, "REVOKE GRANT OPTION FOR ", option)...)
		edits = append(edits, defaultEdits(creator, k.word, "GRANT ", missing)...)
	}
	return edits
}

// defaultEdits writes one statement for each grantee.
func defaultEdits(creator, kind, verb string, grants acl) []edit {
	type group struct {
		grantee string
		option  bool
	}
	privileges := map[group][]string{}
	for _, g := range grants {
		key := group{g.grantee, g.option && verb == "GRANT "}
		privileges[key] = append(privileges[key], g.privilege)
	}
	order := slices.SortedFunc(maps.Keys(privileges), func(a, b group) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	var edits []edit
	for _, g := range order {
		list := strings.Join(privileges[g], ", ")
		preposition := " TO "
		field := resource.Field{Name: "future " + strings.ToLower(kind) + " of " + creator, After: strings.ToLower(list) + " to " + aclText(g.grantee)}
		if verb != "GRANT " {
			preposition = " FROM "
			field.Before, field.After = field.After, ""
		}
		sql := "ALTER DEFAULT PRIVILEGES FOR ROLE " + quoteName(creator) + " " + verb + list + " ON " + kind + preposition + quoteGrantee(g.grantee)
		if g.option {
			sql += " WITH GRANT OPTION"
		}
		edits = append(edits, edit{Field: field, SQL: []string{sql}})
	}
	return edits
}
