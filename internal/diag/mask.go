package diag

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Masked stands where a secret would be printed.
const Masked = "******"

// SecretKey tells from its name alone whether a key's value must not be printed. It is asked
// about text that could not be parsed and about misspelt names, so it knows words and not
// parameters, and a near miss counts.
func SecretKey(name string) bool {
	name = strings.ToLower(name)
	if strings.Contains(name, "pass") && !strings.Contains(name, "bypass") {
		return true
	}
	return slices.ContainsFunc(strings.FieldsFunc(name, notLetter), func(word string) bool {
		return Nearest(word, []string{"password", "passwd", "secret", "token"}) != ""
	})
}

func notLetter(r rune) bool { return r < 'a' || r > 'z' }

// assignment finds `key: ` and `key=` with an optionally quoted key.
var assignment = regexp.MustCompile(`["']?([A-Za-z_][A-Za-z0-9_.-]*)["']?\s*(?::(?:\s+|["']|$)|=)`)

// credential finds the password of a URL and passwords in the form PostgreSQL stores them.
var credential = regexp.MustCompile(`(://[^\s:/@]*:)[^\s@]+@|\bmd5[0-9a-fA-F]{32}\b|SCRAM-SHA-256\$[^\s'",}]+`)

// Mask gives one line of a document with every secret replaced by [Masked], and where the given
// column of the original has moved to. A line that continues the value of a secret key above it
// is masked whole.
func Mask(lines []string, line, column int) (string, int) {
	if line < 1 || line > len(lines) {
		return "", column
	}
	text := strings.TrimRight(lines[line-1], "\r\n")
	if continuesSecret(lines, line) {
		return Masked, 1
	}
	var spans [][2]int
	for _, m := range assignment.FindAllStringSubmatchIndex(text, -1) {
		if !SecretKey(text[m[2]:m[3]]) {
			continue
		}
		start := m[1]
		if text[m[1]-1] == '"' || text[m[1]-1] == '\'' {
			start--
		}
		if end := valueEnd(text, start); end > start {
			spans = append(spans, [2]int{start, end})
		}
	}
	return replace(text, column, spans)
}

// replace masks the spans and whatever looks like a credential outside them.
func replace(text string, column int, spans [][2]int) (string, int) {
	for _, m := range credential.FindAllStringSubmatchIndex(text, -1) {
		span := [2]int{m[0], m[1]}
		if m[3] > 0 {
			span = [2]int{m[3], m[1] - 1}
		}
		spans = append(spans, span)
	}
	masked := make([]bool, len(text))
	for _, s := range spans {
		for i := s[0]; i < s[1]; i++ {
			masked[i] = true
		}
	}
	var b strings.Builder
	moved, seen, inside := column, 0, false
	for i, r := range text {
		seen++
		if masked[i] && !inside {
			b.WriteString(Masked)
		}
		inside = masked[i]
		if !inside {
			b.WriteRune(r)
		}
		if seen == column {
			moved = utf8.RuneCountInString(b.String())
			if inside {
				moved -= len(Masked) - 1
			}
		}
	}
	if column > seen {
		moved = column - seen + utf8.RuneCountInString(b.String())
	}
	return b.String(), moved
}

// valueEnd finds where the value that starts at an index ends. An unquoted value inside braces
// ends at a comma or brace; elsewhere it takes the rest of the line, since a comment after a
// secret may well repeat it.
func valueEnd(text string, start int) int {
	if start >= len(text) {
		return start
	}
	if q := text[start]; q == '"' || q == '\'' {
		for i := start + 1; i < len(text); i++ {
			escaped := q == '"' && text[i] == '\\' || q == '\'' && strings.HasPrefix(text[i:], "''")
			if escaped {
				i++
			} else if text[i] == q {
				return i + 1
			}
		}
		return len(text)
	}
	if strings.Count(text[:start], "{") > strings.Count(text[:start], "}") {
		if i := strings.IndexAny(text[start:], ",}"); i >= 0 {
			return start + i
		}
	}
	return len(text)
}

// continuesSecret tells whether a line belongs to a value that began under a secret key on an
// earlier, less indented line.
func continuesSecret(lines []string, line int) bool {
	own := indent(lines[line-1])
	for i := line - 2; i >= 0; i-- {
		text := lines[i]
		if strings.TrimSpace(text) == "" || indent(text) >= own {
			continue
		}
		m := assignment.FindAllStringSubmatch(text, -1)
		return len(m) > 0 && SecretKey(m[len(m)-1][1]) && !strings.HasSuffix(strings.TrimSpace(text), "}")
	}
	return false
}

// indent counts the blanks and list dashes before a line's first word.
func indent(text string) int {
	return len(text) - len(strings.TrimLeft(text, " \t-"))
}
