package distro

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestPackages(t *testing.T) {
	for _, c := range []struct {
		name      string
		release   int
		wanted    []string
		pgVersion int
		packages  string
		unmapped  string
	}{
		{"several names in an entry", 13, []string{"wget,jq lz4", "wget"}, 0, "wget jq lz4", ""},
		{"v1.5's names", 13, []string{"vim-minimal,nc,bind-utils,perf", "python36-requests"}, 0, "vim-tiny netcat-openbsd bind9-dnsutils bind9-host linux-perf python3-requests", ""},
		{"nothing on purpose", 13, []string{"grubby ntp patroni-consul patroni-etcd"}, 0, "", ""},
		{"a release has its own name", 12, []string{"vip-manager openssl-libs"}, 0, "vip-manager libssl3", ""},
		{"another release another", 13, []string{"vip-manager openssl-libs"}, 0, "vip-manager2 libssl3t64", ""},
		{"not to be had", 13, []string{"citus110_${pg_version} jq"}, 17, "jq", "citus110_${pg_version}"},
		{"not to be had in this release", 12, []string{"pgvector_${pg_version}"}, 15, "", "pgvector_${pg_version}"},
		{"unknown", 13, []string{"acme-tool acme-tool"}, 0, "acme-tool", "acme-tool"},
		{"unknown with a version", 13, []string{"acme-${pg_version}"}, 17, "acme-17", "acme-${pg_version}"},
		{"the deployment's version", 13, []string{"pg_repack_${pg_version} wal2json_${pg_version}"}, 16, "postgresql-16-repack postgresql-16-wal2json", ""},
		{"the release's version", 12, []string{"postgresql-${pg_version}"}, 0, "postgresql-15", ""},
		{"every RPM of the server", 13, []string{"postgresql${pg_version}*"}, 17, "postgresql-17 postgresql-client-17 postgresql-plperl-17 postgresql-plpython3-17 postgresql-pltcl-17", ""},
		{"v1.5's version written out", 13, []string{"postgresql14"}, 17, "postgresql-client-17", "postgresql14"},
		{"the same version written out", 13, []string{"postgis32_17*"}, 17, "postgresql-17-postgis-3 postgresql-17-postgis-3-scripts", ""},
		{"not to be had, written out", 13, []string{"citus110_14"}, 17, "", "citus110_14"},
		{"Debian's version written out", 13, []string{"postgresql-16-cron"}, 17, "postgresql-16-cron", ""},
		{"a release that nobody asked", 0, []string{"vip-manager postgresql-${pg_version}"}, 0, "vip-manager2 postgresql-17", ""},
		{"the newest table serves unknown releases", 14, []string{"vip-manager"}, 0, "vip-manager2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			packages, unmapped := Packages(c.release, c.wanted, c.pgVersion)
			if got := strings.Join(packages, " "); got != c.packages {
				t.Errorf("packages: %q, want %q", got, c.packages)
			}
			if got := strings.Join(unmapped, " "); got != c.unmapped {
				t.Errorf("unmapped: %q, want %q", got, c.unmapped)
			}
		})
	}
}

// Whoever wants a package by the name that a table gives for it must get that package.
func TestTablesKnowTheirOwnPackages(t *testing.T) {
	for release, entries := range tables {
		for wanted, l := range entries {
			for _, p := range l.packages {
				own := strings.ReplaceAll(p, versionMark, "${pg_version}")
				packages, unmapped := Packages(release, []string{own}, 0)
				filled := strings.ReplaceAll(p, versionMark, strconv.Itoa(Postgres(release)))
				if len(unmapped) > 0 || !slices.Equal(packages, []string{filled}) {
					t.Errorf("Debian %d: %s gives %s, which gives %v, unmapped %v", release, wanted, p, packages, unmapped)
				}
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"a =", "a b c", "a !", "a + b"} {
		if _, _, ok := parse(text); ok {
			t.Errorf("%q was read", text)
		}
	}
}
