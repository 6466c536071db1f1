package render_test

import (
	"testing"
	"testing/fstest"

	"pigsty/internal/render"
)

func files(text string) fstest.MapFS {
	return fstest.MapFS{
		"templates/etc/a.conf": {Data: []byte(text)},
		"templates/etc/b.conf": {Data: []byte("b\n")},
	}
}

func TestTemplatesAreNamedAfterTheirTarget(t *testing.T) {
	set := render.Parse(files("{{ join .Words \", \" }}\n"), "templates")
	if got := set.Fill("/etc/a.conf", map[string][]string{"Words": {"x", "y"}}); got != "x, y\n" {
		t.Errorf("%q", got)
	}
	if got := set.Fill("/etc/b.conf", nil); got != "b\n" {
		t.Errorf("%q", got)
	}
}

// What does not fit must never become a file with holes in it.
func TestMistakesPanic(t *testing.T) {
	for name, do := range map[string]func(){
		"no such template": func() { render.Parse(files(""), "templates").Fill("/etc/c.conf", nil) },
		"missing key":      func() { render.Parse(files("{{ .Missing }}"), "templates").Fill("/etc/a.conf", map[string]string{}) },
		"missing field":    func() { render.Parse(files("{{ .Missing }}"), "templates").Fill("/etc/a.conf", struct{}{}) },
		"bad template":     func() { render.Parse(files("{{ if }}"), "templates") },
		"no such folder":   func() { render.Parse(files(""), "nowhere") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			do()
		}()
	}
}
