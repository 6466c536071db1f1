package controller

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"pigsty/internal/diag"
	"pigsty/internal/model"
	"pigsty/internal/resource/postgres"
)

// v15Schema is the baseline of v1.5's own database: the tables of its configuration database,
// which its installation brings and this one does not have.
const v15Schema = "cmdb.sql"

// readFiles reads the files that the inventory names, relative to its folder, or its folder files as
// in v1.5. What cannot be used is told before any node is reached.
func readFiles(inventory string, d *model.Deployment) diag.List {
	var problems diag.List
	d.Files = map[string]string{}
	for _, f := range d.NamedFiles() {
		if _, read := d.Files[f.Path]; read {
			continue
		}
		text, path, err := readFile(filepath.Dir(inventory), f.Path)
		var problem *diag.Diagnostic
		switch {
		case errors.Is(err, fs.ErrNotExist) && filepath.Base(f.Path) == v15Schema:
			problem = problems.Warnf(f.Pos(), "baseline %s is left out: v1.5's configuration database is not part of this version", f.Path)
			problem.Hint = "remove the line, or put a file of that name beside the inventory"
		case errors.Is(err, fs.ErrNotExist):
			problem = problems.Errorf(f.Pos(), "%s %s is not there", f.By, f.Path)
			problem.Hint = fmt.Sprintf("it is looked for as %s", path)
		case err != nil:
			problem = problems.Errorf(f.Pos(), "%s: %v", f.By, err)
		default:
			if problem = unfit(&problems, f, path, text); problem == nil {
				d.Files[f.Path] = text
			}
		}
		if problem != nil {
			f.Explain(problem)
		}
	}
	return problems
}

// readFile finds the file and reads it; the path is where it is, or the first place where it
// is not.
func readFile(folder, name string) (text, path string, err error) {
	path = name
	if !filepath.IsAbs(name) {
		path = filepath.Join(folder, name)
	}
	data, err := os.ReadFile(path)
	if second := filepath.Join(folder, "files", name); errors.Is(err, fs.ErrNotExist) && !filepath.IsAbs(name) {
		if inFiles, again := os.ReadFile(second); again == nil {
			return string(inFiles), second, nil
		}
	}
	return string(data), path, err
}

// unfit is the problem of a text that nobody can read, or a script that PostgreSQL itself cannot take;
// nil when there is none.
func unfit(problems *diag.List, f model.NamedFile, path, text string) *diag.Diagnostic {
	if !utf8.ValidString(text) {
		problem := problems.Errorf(f.Pos(), "%s %s is not UTF-8", f.By, path)
		problem.Hint = "convert it with iconv"
		return problem
	}
	if line, found := postgres.ForPsql(text); f.By == model.Baseline && line > 0 {
		problem := problems.Errorf(f.Pos(), "baseline %s:%d: %s is for psql only", path, line, found)
		problem.Hint = "write it in plain SQL, or load the file by hand"
		return problem
	}
	return nil
}
