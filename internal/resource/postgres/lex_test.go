package postgres

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
)

// sqlToken is a word, a quoted name, a string constant or a sign.
type sqlToken struct {
	kind byte // 'w' word or number, 'n' quoted name, 's' string, 'p' sign
	text string
}

// lexSQL reads the statements that this package writes as PostgreSQL's scanner would, so that a
// name that escapes its quotes shows as another statement.
func lexSQL(sql string) ([]sqlToken, error) {
	var tokens []sqlToken
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == ' ' || c == '\n' || c == '\t':
			i++
		case c == '"' || c == '\'':
			var b strings.Builder
			for i++; ; i++ {
				if i >= len(sql) {
					return nil, fmt.Errorf("quote not closed in %q", sql)
				}
				if sql[i] == c {
					if i+1 < len(sql) && sql[i+1] == c {
						i++
					} else {
						i++
						break
					}
				}
				b.WriteByte(sql[i])
			}
			tokens = append(tokens, sqlToken{map[byte]byte{'"': 'n', '\'': 's'}[c], b.String()})
		case strings.IndexByte("=,.", c) >= 0:
			tokens = append(tokens, sqlToken{'p', string(c)})
			i++
		default:
			start := i
			for i < len(sql) && (unicode.IsLetter(rune(sql[i])) || unicode.IsDigit(rune(sql[i])) || sql[i] == '_' || sql[i] == '-') {
				i++
			}
			if i == start {
				return nil, fmt.Errorf("unexpected %q in %q", sql[i:], sql)
			}
			tokens = append(tokens, sqlToken{'w', sql[start:i]})
		}
	}
	return tokens, nil
}

func TestModelNoticesEscapedQuotes(t *testing.T) {
	if _, err := lexSQL(`ALTER ROLE "a" PASSWORD 'it's'`); err == nil {
		t.Error("an open quote was not noticed")
	}
}
