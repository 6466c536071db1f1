package main

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"runtime"
)

// outputs are what the command says about itself, as the one compiled for this machine tells.
func (b *builder) outputs(ctx context.Context, r *recipe, p program, arch string) ([]content, error) {
	if len(r.Output) == 0 {
		return nil, nil
	}
	if arch != runtime.GOARCH {
		var err error
		if p, err = b.compile(ctx, r, runtime.GOARCH); err != nil {
			return nil, err
		}
	}
	var out []content
	for _, o := range r.Output {
		folder, err := os.MkdirTemp(b.work, "output-")
		if err != nil {
			return nil, err
		}
		if err := o.capture(ctx, p.binary, folder); err != nil {
			return nil, err
		}
		to := o.To
		if !o.Folder {
			to = path.Dir(to)
		}
		found, err := tree(folder, content{To: to, Format: o.Format, Info: fileInfo{0o644}})
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// capture runs the command so that a folder holds what it says.
func (o output) capture(ctx context.Context, binary, folder string) error {
	argv := append([]string{binary}, o.Args...)
	if o.Folder {
		argv = append(argv, folder)
	}
	said, err := runCommand(ctx, folder, os.Environ(), argv...)
	if err != nil {
		return err
	}
	if !o.Folder {
		return os.WriteFile(filepath.Join(folder, path.Base(o.To)), []byte(said), 0o644)
	}
	if !o.Gzip {
		return nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(folder, e.Name())
		if err := gzipFile(name, name+".gz"); err != nil {
			return err
		}
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}
