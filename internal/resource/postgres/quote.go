package postgres

import (
	"slices"
	"strings"
)

// quoteName writes an identifier so that any name means itself. A NUL byte cannot be in one.
func quoteName(name string) string {
	return `"` + strings.ReplaceAll(strings.ReplaceAll(name, "\x00", ""), `"`, `""`) + `"`
}

// quoteText writes a string constant. Backslashes mean themselves, as sessions have
// standard_conforming_strings on.
func quoteText(text string) string {
	return `'` + strings.ReplaceAll(strings.ReplaceAll(text, "\x00", ""), `'`, `''`) + `'`
}

// listSettings are those whose value is a list of names that PostgreSQL quotes one by one
// (GUC_LIST_QUOTE): as one string constant they would be a list of one odd name.
var listSettings = []string{
	"local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries",
	"temp_tablespaces", "unix_socket_directories",
}

// quoteSetting writes "name = value" for SET. A name with a dot belongs to an extension, and its
// parts are names of their own.
func quoteSetting(name, value string) string {
	parts := strings.Split(name, ".")
	for i, p := range parts {
		parts[i] = quoteName(p)
	}
	return strings.Join(parts, ".") + " = " + quoteSettingValue(name, value)
}

func quoteSettingValue(name, value string) string {
	if !slices.Contains(listSettings, strings.ToLower(name)) {
		return quoteText(value)
	}
	items := listItems(value)
	for i, item := range items {
		items[i] = quoteText(item)
	}
	return strings.Join(items, ", ")
}

// splitNames splits a list such as `"$user", public` as PostgreSQL's SplitIdentifierString does:
// a part in double quotes is taken as it is, another one in lower case.
func splitNames(list string) []string {
	var names []string
	for rest := strings.TrimSpace(list); rest != ""; {
		var name string
		if strings.HasPrefix(rest, `"`) {
			name, rest = quotedName(rest[1:])
		} else {
			name, rest, _ = cutBefore(rest, ',')
			name = strings.ToLower(strings.TrimSpace(name))
		}
		names = append(names, name)
		_, rest, _ = strings.Cut(rest, ",")
		rest = strings.TrimSpace(rest)
	}
	return names
}

// quotedName reads up to the closing quote; a doubled one stands for itself.
func quotedName(text string) (name, rest string) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, `"`)
		b.WriteString(before)
		if !found || !strings.HasPrefix(after, `"`) {
			return b.String(), after
		}
		b.WriteByte('"')
		text = after[1:]
	}
}

// cutBefore cuts a text before the first sep, which stays with the rest.
func cutBefore(text string, sep byte) (before, rest string, found bool) {
	i := strings.IndexByte(text, sep)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i:], true
}
