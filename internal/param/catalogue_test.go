package param

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
	"pigsty/internal/inventory"
)

// v15 reads v1.5's names and defaults.
func v15(t *testing.T) map[string]yaml.Node {
	t.Helper()
	data, err := os.ReadFile("testdata/v15.yml")
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]yaml.Node
	if err := yaml.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryNameOfV15IsKnown(t *testing.T) {
	old := v15(t)
	for name := range old {
		if _, ok := byName()[name]; !ok {
			t.Errorf("%s of v1.5 is unknown", name)
		}
	}
	for _, p := range Catalogue() {
		_, known := old[p.Name]
		isNew := slices.Contains(newParameters, p.Name) || p.Section == "CONNECT" || p.Section == "ARGUMENT"
		if !known && !isNew {
			t.Errorf("%s is neither in v1.5 nor listed as new", p.Name)
		}
		if known && slices.Contains(newParameters, p.Name) {
			t.Errorf("%s is listed as new but is in v1.5", p.Name)
		}
	}
}

func TestDifferencesAreComplete(t *testing.T) {
	listed := map[string]bool{}
	for _, d := range Differences() {
		if listed[d.Name] {
			t.Errorf("%s is listed twice", d.Name)
		}
		listed[d.Name] = true
		if d.Reason == "" {
			t.Errorf("%s has no reason", d.Name)
		}
		if _, ok := byName()[d.Name]; !ok {
			t.Errorf("%s is unknown", d.Name)
		}
	}
	for name, old := range v15(t) {
		p := byName()[name]
		if old.Value == "<long>" || old.Value == "<argument>" || !p.Typed() && old.Kind != yaml.ScalarNode {
			continue
		}
		none := old.ShortTag() == "!!null" // v1.5 had no default, so ours changes nothing
		same := none || strings.Join(strings.Fields(inline(&old)), " ") == p.Default
		if same == listed[name] {
			t.Errorf("%s: v1.5 has %q, here %q; listed as different: %v", name, inline(&old), p.Default, listed[name])
		}
	}
}

func TestCatalogueIsSound(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Catalogue() {
		if seen[p.Name] {
			t.Errorf("%s stands twice", p.Name)
		}
		seen[p.Name] = true
		if p.Help == "" || p.Section == "" || p.Module == "" || p.Type == "" {
			t.Errorf("%s is not fully described: %+v", p.Name, p)
		}
		if !slices.Contains([]string{"global", "cluster", "instance", "argument"}, p.Level) {
			t.Errorf("%s: level %q", p.Name, p.Level)
		}
		if p.Secret && !diag.SecretKey(p.Name) && !regexp.MustCompile(`url$`).MatchString(p.Name) {
			t.Errorf("%s is secret but diag.SecretKey does not know", p.Name)
		}
		if p.Secret && p.Default != "" {
			t.Errorf("%s is secret and has a default", p.Name)
		}
		if slices.Contains(internalFlags, p.Name) || slices.Contains(removed, p.Name) {
			t.Errorf("%s is known and yet to be ignored", p.Name)
		}
	}
	for _, r := range renames {
		if _, ok := byName()[r.to]; !ok {
			t.Errorf("%s is renamed to %s, which is unknown", r.from, r.to)
		}
		if seen[r.from] {
			t.Errorf("%s is both an old name and a present one", r.from)
		}
	}
	for later := range laterNames {
		if seen[later] {
			t.Errorf("%s is a present name", later)
		}
	}
}

func TestDefaultsDecode(t *testing.T) {
	check := func(l diag.List) {
		t.Helper()
		for _, d := range l {
			t.Errorf("default: %s", d)
		}
	}
	node, l := Decode[Node](nil)
	check(l)
	pg, l := Decode[Pgsql](nil)
	check(l)
	dcs, l := Decode[Dcs](nil)
	check(l)
	conn, l := Decode[Connect](nil)
	check(l)
	_, l = Decode[Ca](nil)
	check(l)
	got := []any{
		node.NodeTune, node.NodeAdminUid, pg.PgVersion, pg.PgSeq, pg.PgDcsType, pg.PgChecksum, pg.PgSafeguard,
		pg.PgClean, dcs.DcsSafeguard, dcs.DcsClean, pg.PgAdminPassword, pg.PgPwdEnc, pg.PatroniSslEnabled,
		len(pg.PgServices), pg.PgServices[1].SrcIp, pg.PgServices[1].Haproxy.Maxconn, conn.AnsiblePort, conn.AnsibleBecome,
	}
	want := []any{"tiny", 88, 0, -1, "etcd", true, true, false, true, false, "", "scram-sha-256", true, 4, "*", 3000, 22, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDefaultsHaveNoMD5AndNoPublishedPassword(t *testing.T) {
	if regexp.MustCompile(`md5|DBUser\.`).Match(longDefaults) {
		t.Error("defaults.yml has md5 or a published password")
	}
}

func TestLongDefaultsBelongToFields(t *testing.T) {
	for name := range defaultNodes() {
		p, ok := Lookup(name)
		if !ok || !p.Typed() || p.Default == "" {
			t.Errorf("defaults.yml: %s is not the default of a typed parameter", name)
		}
	}
}

func TestNamesAreMechanical(t *testing.T) {
	for field, want := range map[string]string{
		"NodeTune": "node_tune", "PgHbaRules": "pg_hba_rules", "VipAddress": "vip_address",
		"Nodename": "nodename", "AnsibleSshPrivateKeyFile": "ansible_ssh_private_key_file",
	} {
		if got := snake(field); got != want {
			t.Errorf("snake(%s) = %s, want %s", field, got, want)
		}
	}
	name := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for _, o := range objects {
		for _, f := range fields(reflect.TypeOf(o.sample)) {
			if !name.MatchString(f.name) || f.help == "" {
				t.Errorf("%s.%s: bad name or no help", o.title, f.name)
			}
		}
	}
}

func TestSecrets(t *testing.T) {
	want := []string{
		"grafana_admin_password", "etcd_root_password", "pg_admin_password", "pg_replication_password",
		"pg_monitor_password", "patroni_password", "haproxy_admin_password", "jupyter_password",
	}
	if diff := cmp.Diff(want, Secrets()); diff != "" {
		t.Error(diff)
	}
	inv, l := inventory.Parse("x.yml", []byte("all: {vars: {pg_admin_password: own}}"), inventory.Options{
		Generated: map[string]string{"pg_admin_password": "made", "pg_monitor_password": "made"},
	})
	pg, l2 := Decode[Pgsql](inv.Global())
	if len(l)+len(l2) > 0 || pg.PgAdminPassword != "own" || pg.PgMonitorPassword != "made" {
		t.Errorf("%v %v %q %q", l, l2, pg.PgAdminPassword, pg.PgMonitorPassword)
	}
}

func TestSearchAndLookup(t *testing.T) {
	if p, ok := Lookup("pg_shared_libraries"); !ok || p.Name != "pg_libs" {
		t.Errorf("Lookup of an old name: %v %v", p.Name, ok)
	}
	if got := Search("dns node"); len(got) < 3 {
		t.Errorf("Search(dns node) found %d", len(got))
	}
	if got := Search("no such thing at all"); len(got) != 0 {
		t.Errorf("found %v", got)
	}
	if len(Search("")) != len(Catalogue()) {
		t.Error("an empty search does not list everything")
	}
}
