package postgres

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestQuotedNamesReadBackAsThemselves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(hostileName(), rapid.StringN(1, 20, -1)).Draw(t, "name")
		if slices.Contains([]byte(name), 0) {
			return // PostgreSQL has no such names
		}
		for kind, sql := range map[byte]string{'n': quoteName(name), 's': quoteText(name)} {
			tokens, err := lexSQL(sql)
			if err != nil || len(tokens) != 1 || tokens[0] != (sqlToken{kind, name}) {
				t.Fatalf("%q is read as %v, %v", sql, tokens, err)
			}
		}
		if got := splitNames(quoteName(name) + ", " + quoteName("b")); !slices.Equal(got, []string{name, "b"}) {
			t.Fatalf("list is read as %q", got)
		}
	})
}

func TestSettingsAreQuoted(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"work_mem", "64MB", `"work_mem" = '64MB'`},
		{"app.who", "it's", `"app"."who" = 'it''s'`},
		{"search_path", `"$user", Public,"A,b"`, `"search_path" = '$user', 'public', 'A,b'`},
		{"search_path", "", `"search_path" = ''`},
		{"DateStyle", "ISO, MDY", `"DateStyle" = 'ISO, MDY'`},
	} {
		if got := quoteSetting(c.name, c.value); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.name, c.value, got, c.want)
		}
	}
}

func TestStoredSettingsCompare(t *testing.T) {
	have := map[string]string{"search_path": `"$user", public`, "DateStyle": "ISO", "work_mem": "64MB"}
	if edits := diffSettings("ROLE x", map[string]string{"search_path": `"$user",public`, "datestyle": "ISO", "work_mem": "64MB"}, have); edits != nil {
		t.Errorf("%v", statements(edits))
	}
}
