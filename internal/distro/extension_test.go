package distro

import (
	"slices"
	"strings"
	"testing"
)

// A catalogue whose extensions need what it does not have would promise what apt cannot keep.
func TestCataloguesAreWhole(t *testing.T) {
	for release := range catalogues {
		c := Extensions(release)
		if c.Release != release || c.Postgres != Postgres(release) || len(c.Extensions) < 100 {
			t.Errorf("Debian %d: release %d, PostgreSQL %d, %d extensions", release, c.Release, c.Postgres, len(c.Extensions))
		}
		if !slices.IsSortedFunc(c.Extensions, func(a, b Extension) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("Debian %d: not sorted by name", release)
		}
		for _, e := range c.Extensions {
			for _, other := range e.Requires {
				if c.Find(other) == nil {
					t.Errorf("Debian %d: %s requires %s, which is not there", release, e.Name, other)
				}
			}
			for _, library := range e.Preload {
				if _, known := c.Libraries[library]; !known {
					t.Errorf("Debian %d: %s needs library %s, which no package brings", release, e.Name, library)
				}
			}
			if e.Version == "" || e.Summary == "" || (e.Creator == "") != e.Library {
				t.Errorf("Debian %d: %+v", release, e)
			}
		}
	}
}

// What everybody knows of PostgreSQL's extensions, to catch a generator that lost its way.
func TestCatalogueKnows(t *testing.T) {
	c := Extensions(13)
	if e := c.Find("postgis"); e == nil || !slices.Equal(e.Packages, []string{"postgresql-17-postgis-3"}) {
		t.Errorf("postgis: %+v", e)
	}
	if e := c.Find("hstore"); e == nil || e.Packages != nil || e.Creator != ByTrusted {
		t.Errorf("hstore: %+v", e)
	}
	if Extensions(12).Find("timescaledb") != nil || c.Find("timescaledb") == nil {
		t.Error("timescaledb is packaged by Debian 13 and not by 12")
	}
	kcache := c.Closure("pg_stat_kcache", "nonsense", "pg_stat_statements")
	if got := PreloadOf(kcache); !slices.Equal(got, []string{"pg_stat_statements", "pg_stat_kcache"}) {
		t.Errorf("libraries of pg_stat_kcache: %q", got)
	}
	if got := c.PackagesOf(c.Closure("pgauditlogtofile")); !slices.Equal(got, []string{"postgresql-17-pgauditlogtofile", "postgresql-17-pgaudit"}) {
		t.Errorf("packages of pgauditlogtofile: %q", got)
	}
	if got := c.PackagesOf(c.Closure("earthdistance")); got != nil {
		t.Errorf("packages of earthdistance: %q", got)
	}
}
