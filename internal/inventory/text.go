package inventory

import (
	"errors"
	"io/fs"
	"strings"

	"pigsty/internal/diag"
)

// text is the document as the user wrote it, for showing the line a problem is on.
type text struct {
	file  string
	lines []string
}

func newText(file string, data []byte) *text {
	return &text{file: file, lines: strings.Split(strings.TrimPrefix(string(data), "\uFEFF"), "\n")}
}

// explain fills in the source line at the problem's position, with secrets masked and the caret
// moved along.
func (t *text) explain(d *diag.Diagnostic) {
	if t == nil {
		return
	}
	d.Source, d.Caret = diag.Mask(t.lines, d.Pos.Line, d.Pos.Column)
}

// line gives a line of the document, "" for one that it does not have.
func (t *text) line(n int) string {
	if n < 1 || n > len(t.lines) {
		return ""
	}
	return t.lines[n-1]
}

// plainPathError drops the operation and path that an error of the os package repeats.
func plainPathError(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
