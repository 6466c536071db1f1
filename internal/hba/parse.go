package hba

import "strings"

// Parse takes the lines of a file apart, as far as pgBouncer understands them. Comments and empty
// lines are left out.
func Parse(text string) []Rule {
	var rules []Rule
	n := 0
	for line := range strings.Lines(text) {
		n++
		if words := tokens(line); len(words) > 0 {
			rules = append(rules, parseLine(n, strings.TrimSpace(line), words))
		}
	}
	return rules
}

func parseLine(n int, text string, words [][]string) Rule {
	r := Rule{Line: n, Text: text, Type: words[0][0]}
	rest := 4
	if r.Type == "local" {
		rest = 3
	}
	if len(words) <= rest {
		r.Error = "it has too few words"
		return r
	}
	r.Databases, r.Users = words[1], words[2]
	if r.Type != "local" {
		r.Address = words[3][0]
		// An address and its mask are two words in the old form.
		if len(words) > rest+1 && strings.Count(words[4][0], ".") == 3 {
			r.Netmask, rest = words[4][0], rest+1
		}
	}
	r.Method = words[rest][0]
	for _, w := range words[rest+1:] {
		r.Options = append(r.Options, strings.Join(w, ","))
	}
	return r
}

// tokens splits a line into words, and each into what commas separate. Quotes are taken off, and
// what follows a # is left out.
func tokens(line string) [][]string {
	var words [][]string
	var list []string
	var b strings.Builder
	quoted, begun := false, false
	item := func() {
		if begun {
			list = append(list, b.String())
		}
		b.Reset()
		begun = false
	}
	word := func() {
		item()
		if len(list) > 0 {
			words = append(words, list)
		}
		list = nil
	}
	for n := 0; n < len(line); n++ {
		switch c := line[n]; {
		case c == '"' && quoted && n+1 < len(line) && line[n+1] == '"':
			b.WriteByte(c)
			n++
		case c == '"':
			quoted, begun = !quoted, true
		case quoted:
			b.WriteByte(c)
		case c == '#':
			word()
			return words
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			word()
		case c == ',':
			item()
		default:
			b.WriteByte(c)
			begun = true
		}
	}
	word()
	return words
}
