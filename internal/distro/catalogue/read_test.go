package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/distro"
)

const told = `package postgresql-17
Version: 17.5-1
Description: server
control plpgsql
 comment = 'PL/pgSQL procedural language'
 default_version = '1.0'
 superuser = true
 trusted = true
library auto_explain 
library plpgsql 
library vector shared_preload_libraries
package postgresql-17-cron
Version: 2:1.6.5-1
Depends: postgresql-17
Description: Run periodic jobs
control pg_cron
 comment = 'Job scheduler, it''s good'
 default_version = '1.6'  # not 1.5
 schema = pg_catalog # fixed
library pg_cron shared_preload_libraries
package postgresql-17-geo-3
Version: 3.5+dfsg-1
Depends: postgresql-17, postgresql-17-geo-3-scripts
Description: geo
library geo-3 shared_preload_libraries
package postgresql-17-geo-3-scripts
Version: 3.5+dfsg-1
control geo-3
 default_version = '3.5'
 requires = 'plpgsql, cube'
 superuser= false
control geo-3--3.4
 relocatable = true
alternative geo
package postgresql-17-routes
Depends: postgresql-17
package postgresql-17-routes-scripts
control routes
 default_version = '1'
package postgresql-17-wal2json
Version: 2.6-2+b1
Description: JSON output
library wal2json 
package postgresql-17-watch
Description: watching
control watch
 default_version = '1'
library watch shared_preload_libraries
`

func TestRead(t *testing.T) {
	k, err := readKnowledge("library auto_explain plans\nfirst pg_cron pg_cron\nsetting pg_cron a ${database}\noptional vector\n")
	if err != nil {
		t.Fatal(err)
	}
	got, unknown, err := read(told, 13, k)
	if err != nil {
		t.Fatal(err)
	}
	want := []distro.Extension{
		{Name: "auto_explain", Library: true, Version: "17.5", Summary: "plans"},
		{Name: "geo", Version: "3.5", Packages: []string{"postgresql-17-geo-3"}, Requires: []string{"plpgsql", "cube"}, Creator: distro.ByAnybody},
		{
			Name: "pg_cron", Version: "1.6", Summary: "Job scheduler, it's good", Packages: []string{"postgresql-17-cron"}, Preload: []string{"pg_cron"},
			First: true, Settings: map[string]string{"a": "${database}"}, Creator: distro.BySuperuser, Schema: "pg_catalog",
		},
		{Name: "plpgsql", Version: "1.0", Summary: "PL/pgSQL procedural language", Creator: distro.ByTrusted},
		{Name: "routes", Version: "1", Packages: []string{"postgresql-17-routes", "postgresql-17-routes-scripts"}, Creator: distro.BySuperuser},
		{Name: "wal2json", Library: true, Version: "2.6", Summary: "JSON output", Packages: []string{"postgresql-17-wal2json"}},
		{Name: "watch", Version: "1", Summary: "watching", Packages: []string{"postgresql-17-watch"}, Creator: distro.BySuperuser},
	}
	if diff := cmp.Diff(want, got.Extensions); diff != "" {
		t.Error(diff)
	}
	if got.Libraries["pg_cron"] != "postgresql-17-cron" || got.Libraries["plpgsql"] != "" {
		t.Errorf("libraries: %v", got.Libraries)
	}
	if !slices.Equal(unknown, []string{"watch"}) {
		t.Errorf("unknown: %q", unknown)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, text := range []string{"Version: 1\n", "package a\nnonsense\n", "package a\n comment = 'x'\n", "package a\ncontrol x\npackage b\ncontrol x\n"} {
		if _, _, err := read(text, 13, &knowledge{}); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	for _, text := range []string{"preload a", "setting a b", "first", "what a b"} {
		if _, err := readKnowledge(text); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
