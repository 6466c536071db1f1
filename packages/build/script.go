package main

import (
	"embed"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// The scripts of packages with a service serve both formats, which tell them what happens in
// words of their own.
//
//go:embed scripts
var scriptFiles embed.FS

var scriptTemplates = template.Must(template.New("").Option("missingkey=error").ParseFS(scriptFiles, "scripts/*"))

// scripts writes the maintainer scripts of a service into a folder.
func (r *recipe) scripts(stage string) (scripts, error) {
	if r.Service == nil {
		return scripts{}, nil
	}
	out := scripts{
		PostInstall: filepath.Join(stage, "postinst"),
		PreRemove:   filepath.Join(stage, "prerm"),
		PostRemove:  filepath.Join(stage, "postrm"),
	}
	for _, path := range []string{out.PostInstall, out.PreRemove, out.PostRemove} {
		if err := render(path, r); err != nil {
			return scripts{}, err
		}
	}
	return out, nil
}

// render writes what the template of the file's name makes of data.
func render(path string, data any) error {
	var text strings.Builder
	if err := scriptTemplates.ExecuteTemplate(&text, filepath.Base(path), data); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text.String()), 0o644)
}
