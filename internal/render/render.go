// Package render fills the modules' embedded templates. A template that does not fit its data
// is a mistake in the program, found by the golden tests, so it panics.
package render

import (
	"io/fs"
	"strings"
	"text/template"
)

// Set is the templates of one module, named after the paths of the files they become.
type Set struct{ templates *template.Template }

// Parse reads every template below dir.
func Parse(files fs.FS, dir string) *Set {
	root := template.New("").Option("missingkey=error").Funcs(template.FuncMap{"join": strings.Join})
	err := fs.WalkDir(files, dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		_, err = root.New(strings.TrimPrefix(path, dir)).Parse(string(data))
		return err
	})
	if err != nil {
		panic(err)
	}
	return &Set{root}
}

// Fill renders the template of the given target path.
func (s *Set) Fill(path string, data any) string {
	var b strings.Builder
	if err := s.templates.ExecuteTemplate(&b, path, data); err != nil {
		panic(err)
	}
	return b.String()
}
