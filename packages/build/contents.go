package main

import (
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// content is one thing that a package installs, in the words of nfpm's configuration.
type content struct {
	From   string   `json:"src,omitempty"`
	To     string   `json:"dst"`
	Type   string   `json:"type,omitempty"`
	Format string   `json:"packager,omitempty"`
	Info   fileInfo `json:"file_info"`
}

type fileInfo struct {
	Mode fs.FileMode `json:"mode"`
}

// What a content can be besides a plain file.
const (
	typeConfig  = "config|noreplace"
	typeSymlink = "symlink"
)

// contents gathers all that a package installs, except what the command says about itself. What
// is written for it goes below stage.
func (r *recipe) contents(p program, stage string) ([]content, error) {
	out := []content{{From: p.binary, To: r.Build.Binary, Info: fileInfo{0o755}}}
	for _, f := range r.Files {
		mode, err := f.mode()
		if err != nil {
			return nil, err
		}
		kind := ""
		if f.Config {
			kind = typeConfig
		}
		found, err := tree(filepath.Join(r.dir, f.From), content{To: f.To, Type: kind, Info: fileInfo{mode}})
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	for _, l := range r.Links {
		out = append(out, content{From: l.Target, To: l.To, Type: typeSymlink, Info: fileInfo{0o777}})
	}
	papers, err := r.documents(p, stage)
	if err != nil {
		return nil, err
	}
	out = append(out, papers...)
	if r.Service != nil {
		from := filepath.Join(stage, "sysusers")
		if err := render(from, r); err != nil {
			return nil, err
		}
		out = append(out, content{From: from, To: path.Join("/usr/lib/sysusers.d", r.Name+".conf"), Info: fileInfo{0o644}})
	}
	return out, nil
}

// tree lists a file, or every file below a folder, each installed as like says, at the same place
// below like.To. What is hidden stays out: a run may have left secrets in a folder of ours.
func tree(from string, like content) ([]content, error) {
	var out []content
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".") && name != from {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		c := like
		c.From, c.To = name, path.Join(like.To, filepath.ToSlash(rel))
		out = append(out, c)
		return nil
	})
	return out, err
}
