package main

import (
	"compress/gzip"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// documents are what the package says of its licence and its source.
func (r *recipe) documents(p program, stage string) ([]content, error) {
	folder := path.Join("/usr/share/doc", r.Name)
	add := func(out []content, from, name string) []content {
		return append(out, content{From: from, To: path.Join(folder, name), Info: fileInfo{0o644}})
	}
	copyright, err := r.copyright(p, stage)
	if err != nil {
		return nil, err
	}
	notices := filepath.Join(stage, noticesName+".gz")
	if err := gzipFile(p.notices, notices); err != nil {
		return nil, err
	}
	out := add(add(nil, copyright, "copyright"), notices, noticesName+".gz")
	if r.ours() {
		return out, nil
	}
	sources, err := r.sources()
	if err != nil {
		return nil, err
	}
	for _, from := range sources {
		name, err := filepath.Rel(r.moduleDir(), from)
		if err != nil {
			return nil, err
		}
		if name == "go.sum" { // the one large file
			from, name = filepath.Join(stage, "go.sum.gz"), "go.sum.gz"
			if err := gzipFile(filepath.Join(r.moduleDir(), "go.sum"), from); err != nil {
				return nil, err
			}
		}
		out = add(out, from, filepath.ToSlash(name))
	}
	return out, nil
}

// copyright writes the file that says whose the program is, with the licence in full.
func (r *recipe) copyright(p program, stage string) (string, error) {
	to := filepath.Join(stage, "copyright")
	err := render(to, struct {
		Name, Version, Licence, Homepage, Source, Upstream, Package, Tags string
		Cgo                                                               bool
	}{
		r.Name, r.version, r.Licence, r.Homepage, r.Source, r.Build.Upstream, r.Build.Package, r.tags(),
		slices.Contains(r.Build.Tags, "cgo"),
	})
	if err != nil {
		return "", err
	}
	licence, err := os.ReadFile(p.licence)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(to, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := f.Write(licence); err != nil {
		return "", err
	}
	return to, f.Close()
}

// gzipFile packs a file; equal content gives equal bytes, as no name and time go in.
func gzipFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Close()
}
