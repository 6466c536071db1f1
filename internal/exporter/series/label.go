package series

import "unicode/utf8"

// Labels builds the labels of one row after another in the same memory.
type Labels struct{ buf []byte }

// Reset begins a new row, with labels that all rows have: as Bytes gives them, or nil.
func (l *Labels) Reset(constant []byte) { l.buf = append(l.buf[:0], constant...) }

// Add appends a label. The value is escaped; bytes that are not UTF-8 become U+FFFD.
func (l *Labels) Add(name string, value []byte) {
	if len(l.buf) > 0 {
		l.buf = append(l.buf, ',')
	}
	l.buf = append(l.buf, name...)
	l.buf = append(l.buf, '=', '"')
	l.buf = appendEscaped(l.buf, value)
	l.buf = append(l.buf, '"')
}

// Bytes gives `a="b",c="d"`. It is good until the next Reset.
func (l *Labels) Bytes() []byte { return l.buf }

func appendEscaped(to, value []byte) []byte {
	if !utf8.Valid(value) {
		value = []byte(string([]rune(string(value))))
	}
	for _, b := range value {
		switch b {
		case '\\':
			to = append(to, '\\', '\\')
		case '"':
			to = append(to, '\\', '"')
		case '\n':
			to = append(to, '\\', 'n')
		default:
			to = append(to, b)
		}
	}
	return to
}
