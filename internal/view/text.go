package view

import (
	"strings"
	"unicode"
)

// indented moves the lines after the first to the right, so that what a command wrote on many
// lines stays below what it is about.
func indented(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n          ")
}

// printable replaces characters that steer a terminal: what stands in a node's files is shown,
// not obeyed.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, line)
}
