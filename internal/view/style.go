package view

import (
	"io"
	"os"

	"golang.org/x/term"

	"pigsty/internal/resource"
)

// style colours text; the zero value leaves it plain. Meaning is never by colour alone.
type style struct{ on bool }

func styleFor(color bool) style { return style{color} }

func (s style) paint(code, text string) string {
	if !s.on {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string   { return s.paint("1", text) }
func (s style) red(text string) string    { return s.paint("31", text) }
func (s style) green(text string) string  { return s.paint("32", text) }
func (s style) yellow(text string) string { return s.paint("33", text) }

func (s style) action(a resource.Action) string {
	switch a {
	case resource.Create:
		return s.green(a.Symbol())
	case resource.Delete:
		return s.red(a.Symbol())
	default:
		return s.yellow(a.Symbol())
	}
}

// Terminal tells whether a stream is a terminal, and its width in columns.
func Terminal(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	return width, true
}

// Color tells whether a stream is to be coloured: a terminal, and NO_COLOR (no-color.org) not
// set.
func Color(w io.Writer) bool {
	_, ok := Terminal(w)
	return ok && os.Getenv("NO_COLOR") == ""
}
