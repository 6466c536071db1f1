// Package diag describes problems found in what a user wrote: how bad, where, what to do.
//
// A problem is a value. Commands print a [List] for people with [List.Write] or marshal it as
// JSON; both carry the same facts. Secrets never reach a diagnostic: see [Mask].
package diag

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Severity tells whether a problem stops the work.
type Severity int

// The two severities. The zero value is Error, so that a forgotten severity is not overlooked.
const (
	Error Severity = iota
	Warning
)

// String gives "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// MarshalText makes severities words in JSON.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote; other words are errors.
func (s *Severity) UnmarshalText(text []byte) error {
	switch string(text) {
	case "error":
		*s = Error
	case "warning":
		*s = Warning
	default:
		return fmt.Errorf("unknown severity %q", text)
	}
	return nil
}

// Pos is a place in a file. Line and Column count from 1; 0 means unknown.
type Pos struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String gives file:line:column, leaving out what is unknown.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Compare orders positions by file, line and column.
func (p Pos) Compare(q Pos) int {
	return cmp.Or(
		strings.Compare(p.File, q.File),
		cmp.Compare(p.Line, q.Line),
		cmp.Compare(p.Column, q.Column),
	)
}

// Diagnostic is one problem. Summary says what is wrong and Hint what to do about it, both as
// lower-case phrases. Source is the line of the user's YAML at Pos, secrets masked by [Mask];
// empty when there is none. Caret is the column of Source to point at, 0 for none.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Pos      Pos      `json:"pos"`
	Summary  string   `json:"summary"`
	Hint     string   `json:"hint,omitempty"`
	Source   string   `json:"source,omitempty"`
	Caret    int      `json:"caret,omitempty"`
}

// String gives the problem on one line, without its source line.
func (d Diagnostic) String() string {
	var b strings.Builder
	if at := d.Pos.String(); at != "" {
		b.WriteString(at + ": ")
	}
	b.WriteString(d.Severity.String() + ": " + d.Summary)
	if d.Hint != "" {
		b.WriteString("; " + d.Hint)
	}
	return b.String()
}

// List collects problems; its zero value is empty and ready.
type List []Diagnostic

// Errorf adds an error and returns it for a hint or source line to be filled in. The pointer is
// good until the next addition.
func (l *List) Errorf(pos Pos, format string, args ...any) *Diagnostic {
	return l.add(Error, pos, fmt.Sprintf(format, args...))
}

// Warnf adds a warning, as Errorf does an error.
func (l *List) Warnf(pos Pos, format string, args ...any) *Diagnostic {
	return l.add(Warning, pos, fmt.Sprintf(format, args...))
}

func (l *List) add(s Severity, pos Pos, summary string) *Diagnostic {
	*l = append(*l, Diagnostic{Severity: s, Pos: pos, Summary: summary})
	return &(*l)[len(*l)-1]
}

// Add appends the problems of others.
func (l *List) Add(others ...Diagnostic) { *l = append(*l, others...) }

// HasErrors tells whether any problem is an error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Errors gives the errors alone, Warnings the rest; both keep the order.
func (l List) Errors() List { return l.only(Error) }

// Warnings gives the warnings alone.
func (l List) Warnings() List { return l.only(Warning) }

func (l List) only(s Severity) List {
	var out List
	for _, d := range l {
		if d.Severity == s {
			out = append(out, d)
		}
	}
	return out
}

// Sort orders by file, line and column, then errors before warnings, then by text, and drops
// exact repeats.
func (l *List) Sort() {
	slices.SortStableFunc(*l, func(a, b Diagnostic) int {
		return cmp.Or(
			a.Pos.Compare(b.Pos),
			cmp.Compare(a.Severity, b.Severity),
			strings.Compare(a.Summary, b.Summary),
		)
	})
	*l = slices.Compact(*l)
}

// Err gives nil when there is no error, else one error whose text is every error, one a line.
// errors.As finds the [Problems] in it.
func (l List) Err() error {
	if !l.HasErrors() {
		return nil
	}
	return &Problems{List: l.Errors()}
}

// Problems is a list as an error.
type Problems struct{ List List }

// Error gives one line for each problem.
func (p *Problems) Error() string {
	lines := make([]string, len(p.List))
	for i, d := range p.List {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// From finds the list behind an error made by [List.Err]; nil when there is none.
func From(err error) List {
	var p *Problems
	if errors.As(err, &p) {
		return p.List
	}
	return nil
}
