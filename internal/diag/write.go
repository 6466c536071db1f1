package diag

import (
	"bufio"
	"io"
	"strings"
	"unicode"
)

// maxSource is how much of a source line is shown, in characters: enough for any line that was
// written by hand, while a generated one does not flood the terminal.
const maxSource = 160

// Write prints each problem on one line, followed by its source line and a caret under the
// column when the source is known.
func (l List) Write(w io.Writer) error {
	out := bufio.NewWriter(w)
	for _, d := range l {
		out.WriteString(printable(d.String()) + "\n")
		if d.Source == "" {
			continue
		}
		line, caret := excerpt(d.Source, d.Caret)
		out.WriteString("    " + line + "\n")
		if caret != "" {
			out.WriteString("    " + caret + "\n")
		}
	}
	return out.Flush()
}

// excerpt gives the part of a line around a column and the line with the caret below it; tabs
// are kept in both so that they stay aligned.
func excerpt(source string, column int) (line, caret string) {
	runes := []rune(strings.TrimRight(source, " \t\r\n"))
	start := 0
	if column > maxSource {
		start = column - maxSource/2
	}
	if start > len(runes) {
		start = 0
	}
	end := min(len(runes), start+maxSource)
	line = printable(string(runes[start:end]))
	at := column - 1 - start
	if column < 1 || at > end-start {
		return line, ""
	}
	var b strings.Builder
	for _, r := range runes[start : start+at] {
		if r == '\t' {
			b.WriteRune('\t')
		} else {
			b.WriteRune(' ')
		}
	}
	return line, b.String() + "^"
}

// printable replaces control characters, which could otherwise rewrite the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
