package collector

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pigsty/internal/diag"
	"pigsty/internal/golden"
)

func TestEveryField(t *testing.T) {
	set, err := Load(File("testdata/good.yml"))
	if err != nil {
		t.Fatal(err)
	}
	zero := 0.0
	want := &Collector{
		Branch: "pg_everything", Name: "pg", Desc: "all there is", Query: "SELECT 1 AS one, 'x' AS name;",
		Predicates: []Predicate{{Name: "has it", Query: "SELECT true", TTL: 30 * time.Second}},
		Tags:       []string{"cluster", "primary", "schema:monitor", "extension:pg_stat_statements", "dbname:app", "username:monitor", "not:slow", "mine"},
		TTL:        10 * time.Second, Timeout: 250 * time.Millisecond, MinVersion: 90600, MaxVersion: 180000, Fatal: true,
		Top: &Top{Keep: 5, By: []string{"one"}}, Budget: 100,
		Columns: []Column{
			{Name: "name", Usage: Label, Rename: "title"},
			{Name: "one", Usage: Counter, Desc: "how many", Scale: 1e-3, Default: &zero},
			{Name: "two", Usage: Gauge},
			{Name: "age", Usage: Histogram, Buckets: []float64{-1, 0, 10}},
			{Name: "rest", Usage: Discard},
		},
	}
	if diff := cmp.Diff(want, set.Get("pg_everything"), cmpopts.IgnoreFields(Collector{}, "Pos")); diff != "" {
		t.Error(diff)
	}
	merged := set.Get("pg_merged")
	if merged.Query != "SELECT 1 AS n" || merged.TTL != time.Minute || merged.Timeout != DefaultTimeout || merged.Name != "pg_merged" {
		t.Errorf("merged: %+v", merged)
	}
}

func TestLaterSourcesReplaceAndChange(t *testing.T) {
	set, err := Load(File("testdata/good.yml"), File("testdata/change.yml"))
	if err != nil {
		t.Fatal(err)
	}
	changed := set.Get("pg_everything")
	if !changed.Skip || changed.Top.Keep != 7 || changed.Top.By[0] != "one" || changed.TTL != 10*time.Second {
		t.Errorf("changed: %+v, top %+v", changed, changed.Top)
	}
	if short := set.Get("pg_short"); short.Query != "SELECT 2 AS m" || short.Metric(short.Values()[0]) != "pg_short_m" {
		t.Errorf("replaced: %+v", short)
	}
	var order []string
	for _, c := range set.All() {
		order = append(order, c.Branch)
	}
	if diff := cmp.Diff([]string{"pg_everything", "pg_short", "pg_merged"}, order); diff != "" {
		t.Error(diff)
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	_, err := Load(File("testdata/bad.yml"))
	if err == nil {
		t.Fatal("a bad file is taken")
	}
	golden.Compare(t, "testdata/bad.txt", err.Error()+"\n")
}

func TestFolder(t *testing.T) {
	_, err := Load(File("testdata/folder"))
	want := `testdata/folder/2.yaml:4:1: error: collector "a" is defined twice; it is at testdata/folder/1.yml:4:1 as well`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := Load(File("testdata/none")); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestNotYAML(t *testing.T) {
	for text, want := range map[string]string{
		"a: [":     "x.yml:2:1",
		"a: 1\n- ": "x.yml:1:1",
		"a: {query: SELECT 1, metrics: [{n: {usage: GAUGE}}]}\n---\nb: 1\n": "x.yml:3:1",
		"- a": "x.yml:1:1",
	} {
		_, err := Load(Source{FS: fstest.MapFS{"x.yml": {Data: []byte(text)}}, Path: "x.yml"})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want it to begin with %s", text, err, want)
		}
	}
	if set, err := Load(Source{FS: fstest.MapFS{"x.yml": {}}, Path: "x.yml"}); err != nil || len(set.All()) != 0 {
		t.Errorf("an empty file: %v", err)
	}
}

func TestApplies(t *testing.T) {
	facts := Facts{Version: 170011, Main: true, Database: "app", User: "monitor", Schemas: []string{"monitor"}, Extensions: map[string]string{"postgis": `odd "name`}, Tags: []string{"mine"}}
	replica := facts
	replica.Recovery = true
	other := facts
	other.Main = false
	pool := Facts{Pgbouncer: true, Main: true, Version: 12401, Database: "pgbouncer"}
	for _, c := range []struct {
		say   Collector
		facts Facts
		why   string
	}{
		{Collector{}, facts, ""},
		{Collector{Skip: true}, facts, "skipped"},
		{Collector{Tags: []string{"cluster"}}, facts, ""},
		{Collector{Tags: []string{"cluster"}}, other, "runs once for the server"},
		{Collector{}, other, ""},
		{Collector{Tags: []string{"pgbouncer"}}, facts, "is for pgBouncer"},
		{Collector{Tags: []string{"pgbouncer"}, MinVersion: 11600}, pool, ""},
		{Collector{Tags: []string{"cluster"}}, pool, "is for PostgreSQL"},
		{Collector{MinVersion: 170000, MaxVersion: 180000}, facts, ""},
		{Collector{MinVersion: 180000}, facts, "is for version 180000 and later"},
		{Collector{MaxVersion: 170000}, facts, "is for versions before 170000"},
		{Collector{Tags: []string{"primary"}}, facts, ""},
		{Collector{Tags: []string{"master"}}, replica, "is for a primary"},
		{Collector{Tags: []string{"standby"}}, facts, "is for a replica"},
		{Collector{Tags: []string{"replica"}}, replica, ""},
		{Collector{Tags: []string{"dbname:app", "username:monitor", "schema:monitor", "extension:postgis", "mine", "not:slow"}}, facts, ""},
		{Collector{Tags: []string{"dbname:shop"}}, facts, "is for database shop"},
		{Collector{Tags: []string{"username:root"}}, facts, "is for user root"},
		{Collector{Tags: []string{"schema:x"}}, facts, "needs schema x"},
		{Collector{Tags: []string{"extension:x"}}, facts, "needs extension x"},
		{Collector{Tags: []string{"not:mine"}}, facts, "is not for exporters with tag mine"},
		{Collector{Tags: []string{"theirs"}}, facts, "is for exporters with tag theirs"},
	} {
		if ok, why := c.say.Applies(c.facts); why != c.why || ok != (why == "") {
			t.Errorf("%+v: %v %q, want %q", c.say, ok, why, c.why)
		}
	}
}

func TestSchemaOfExtension(t *testing.T) {
	c := Collector{Query: "SELECT * FROM ${schema:postgis}.f($1, '${x}')"}
	want := `SELECT * FROM "odd ""name".f($1, '${x}')`
	if got := c.SQL(Facts{Extensions: map[string]string{"postgis": `odd "name`}}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzRead holds that no file breaks the reader, and that what is taken can be run.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"testdata/good.yml", "testdata/bad.yml", "testdata/change.yml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &a {<<: *a}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := Load(Source{FS: fstest.MapFS{"x.yml": {Data: data}}, Path: "x.yml"})
		if err != nil {
			if problems := diag.From(err); len(problems) == 0 {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		for _, c := range set.All() {
			if c.Query == "" || !ValidName(c.Name) || len(c.Values())+len(c.Histograms()) == 0 && !c.Skip {
				t.Fatalf("taken, and cannot be run: %+v", c)
			}
		}
	})
}
