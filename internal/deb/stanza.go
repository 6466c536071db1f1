package deb

import (
	"fmt"
	"slices"
	"strings"
)

// Stanza is one paragraph of a control file: fields in their order.
type Stanza []Field

// Field is one field of a stanza. Value is what stands after the colon without the blanks around
// it; further lines keep the blank that marks them.
type Field struct{ Name, Value string }

// Parse reads the stanzas of a control file; empty lines separate them. Lines that begin with #
// are comments.
func Parse(text string) ([]Stanza, error) {
	var all []Stanza
	var s Stanza
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.TrimSpace(line) == "":
			if len(s) > 0 {
				all, s = append(all, s), nil
			}
		case line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if len(s) == 0 {
				return nil, fmt.Errorf("line %d continues a field, and there is none", number)
			}
			s[len(s)-1].Value += "\n" + strings.TrimRight(line, " \t")
		default:
			name, value, found := strings.Cut(line, ":")
			if !found || name == "" || strings.ContainsAny(name, " \t") {
				return nil, fmt.Errorf("line %d is no field: %q", number, line)
			}
			if s.index(name) >= 0 {
				return nil, fmt.Errorf("line %d has field %s a second time", number, name)
			}
			s = append(s, Field{name, strings.TrimSpace(value)})
		}
	}
	if len(s) > 0 {
		all = append(all, s)
	}
	return all, nil
}

func (s Stanza) index(name string) int {
	return slices.IndexFunc(s, func(f Field) bool { return strings.EqualFold(f.Name, name) })
}

// Get is the value of a field; empty when there is none. Names match in any case.
func (s Stanza) Get(name string) string {
	if at := s.index(name); at >= 0 {
		return s[at].Value
	}
	return ""
}

// With is the stanza with a field set: in its place, or at the end when it is new.
func (s Stanza) With(name, value string) Stanza {
	s = slices.Clone(s)
	if at := s.index(name); at >= 0 {
		s[at].Value = value
		return s
	}
	return append(s, Field{name, value})
}

// Without is the stanza less the fields of these names.
func (s Stanza) Without(names ...string) Stanza {
	return slices.DeleteFunc(slices.Clone(s), func(f Field) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(f.Name, name) })
	})
}

// String is the stanza as a control file has it, with the end of its last line.
func (s Stanza) String() string {
	var b strings.Builder
	for _, f := range s {
		b.WriteString(f.Name)
		b.WriteByte(':')
		if f.Value != "" && f.Value[0] != '\n' {
			b.WriteByte(' ')
		}
		b.WriteString(f.Value)
		b.WriteByte('\n')
	}
	return b.String()
}
