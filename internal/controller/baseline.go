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

// readBaselines reads the SQL files that databases are to be loaded from, relative to the folder of
// the inventory, or its folder files as in v1.5. What cannot be loaded is told before any node is
// reached.
func readBaselines(inventory string, d *model.Deployment) diag.List {
	var problems diag.List
	d.Baselines = map[string]string{}
	for _, f := range d.BaselineFiles() {
		if _, read := d.Baselines[f.Path]; read {
			continue
		}
		text, path, err := readBaseline(filepath.Dir(inventory), f.Path)
		var problem *diag.Diagnostic
		switch {
		case errors.Is(err, fs.ErrNotExist) && filepath.Base(f.Path) == v15Schema:
			problem = problems.Warnf(f.Pos(), "baseline %s is left out: v1.5's configuration database is not part of this version", f.Path)
			problem.Hint = "remove the line, or put a file of that name beside the inventory"
		case errors.Is(err, fs.ErrNotExist):
			problem = problems.Errorf(f.Pos(), "baseline %s is not there", f.Path)
			problem.Hint = fmt.Sprintf("it is looked for as %s", path)
		case err != nil:
			problem = problems.Errorf(f.Pos(), "baseline: %v", err)
		default:
			if problem = unfit(&problems, f, path, text); problem == nil {
				d.Baselines[f.Path] = text
			}
		}
		if problem != nil {
			f.Explain(problem)
		}
	}
	return problems
}

// readBaseline finds the file and reads it; the path is where it is, or the first place where it
// is not.
func readBaseline(folder, name string) (text, path string, err error) {
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

// unfit is the problem of a script that PostgreSQL itself cannot take; nil when there is none.
func unfit(problems *diag.List, f model.BaselineFile, path, text string) *diag.Diagnostic {
	if !utf8.ValidString(text) {
		problem := problems.Errorf(f.Pos(), "baseline %s is not UTF-8", path)
		problem.Hint = "convert it with iconv"
		return problem
	}
	if line, found := postgres.ForPsql(text); line > 0 {
		problem := problems.Errorf(f.Pos(), "baseline %s:%d: %s is for psql only", path, line, found)
		problem.Hint = "write it in plain SQL, or load the file by hand"
		return problem
	}
	return nil
}
