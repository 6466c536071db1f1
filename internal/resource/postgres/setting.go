package postgres

import (
	"maps"
	"slices"
	"strings"

	"pigsty/internal/resource"
)

// parseSettings reads pg_db_role_setting.setconfig: items such as "work_mem=64MB".
func parseSettings(config []string) map[string]string {
	settings := map[string]string{}
	for _, item := range config {
		if name, value, ok := strings.Cut(item, "="); ok {
			settings[name] = value
		}
	}
	return settings
}

// diffSettings gives the edits that make the settings of a role or database those wanted; owner
// is what ALTER names, such as `ROLE "app"`. Names of settings mean the same in any case.
func diffSettings(owner string, want, have map[string]string) []edit {
	current := map[string]string{}
	for name, value := range have {
		current[strings.ToLower(name)] = value
	}
	var edits []edit
	wanted := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		key := strings.ToLower(name)
		wanted[key] = true
		before, set := current[key]
		if set && sameSetting(key, before, want[name]) {
			continue
		}
		edits = append(edits, edit{
			Field: resource.Field{Name: "setting " + name, Before: before, After: want[name]},
			SQL:   []string{"ALTER " + owner + " SET " + quoteSetting(name, want[name])},
		})
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if wanted[strings.ToLower(name)] {
			continue
		}
		setting, _, _ := strings.Cut(quoteSetting(name, ""), " = ")
		edits = append(edits, edit{
			Field: resource.Field{Name: "setting " + name, Before: have[name]},
			SQL:   []string{"ALTER " + owner + " RESET " + setting},
		})
	}
	return edits
}

// sameSetting compares two values. PostgreSQL keeps them as they were given, except that it
// writes lists of names in its own way.
func sameSetting(name, a, b string) bool {
	if slices.Contains(listSettings, name) {
		return slices.Equal(listItems(a), listItems(b))
	}
	return a == b
}

// listItems splits the value of a list setting. SET x = ” makes a list of one empty name, which
// PostgreSQL writes as "".
func listItems(value string) []string {
	if items := splitNames(value); len(items) > 0 {
		return items
	}
	return []string{""}
}
