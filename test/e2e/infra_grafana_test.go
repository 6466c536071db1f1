//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// grafanaUnit and grafanaInstalled make the unit and the user that Grafana's own package brings.
const (
	grafanaUnit = `[Service]
User=grafana
ExecStart=/usr/sbin/grafana-server

[Install]
WantedBy=multi-user.target
`
	grafanaInstalled = "#!/bin/sh\nset -e\nid grafana >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin grafana\n"
)

// grafanaPackage packs the stand-in for Grafana, under the name of the real one, and gives its folder.
func (i *infrastructure) grafanaPackage() string {
	i.t.Helper()
	root, folder := i.t.TempDir(), i.t.TempDir()
	control := "Package: grafana\nVersion: 0.stand-in\nArchitecture: all\nMaintainer: nobody\nDescription: stands in for Grafana in tests\n"
	for _, f := range []struct {
		path, text string
		mode       os.FileMode
	}{
		{"DEBIAN/control", control, 0o644},
		{"DEBIAN/postinst", grafanaInstalled, 0o755},
		{"usr/lib/systemd/system/grafana-server.service", grafanaUnit, 0o644},
	} {
		path := filepath.Join(root, f.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			i.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(f.text), f.mode); err != nil {
			i.t.Fatal(err)
		}
	}
	for _, argv := range [][]string{
		{"go", "build", "-o", filepath.Join(root, "usr/sbin/grafana-server"), "pigsty/test/grafana"},
		{"dpkg-deb", "--root-owner-group", "--build", root, filepath.Join(folder, "grafana_0.stand-in_all.deb")},
	} {
		cmd := exec.CommandContext(i.t.Context(), argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			i.t.Fatalf("%s: %v\n%s", argv[0], err, out)
		}
	}
	return folder
}

// grafana is set up as soon as the repository has it: it serves through the portal, is watched, and its
// user reaches every data source with what was provisioned. It is a stand-in; see test/grafana.
func (i *infrastructure) grafana() {
	without := "dashboards are not shown by Grafana"
	if r := i.must(0, "plan"); !strings.Contains(r.out+r.err, without) {
		i.t.Errorf("a plan does not say %q:\n%s%s", without, r.out, r.err)
	}
	i.must(0, "repo", "build", "--yes", "--packages", i.grafanaPackage())
	if r := i.must(2, "plan"); !strings.Contains(r.out, "packages grafana") || strings.Contains(r.out+r.err, without) {
		i.t.Errorf("the plan does not know that the repository has it now:\n%s%s", r.out, r.err)
	}
	i.apply()
	i.settles("Grafana is watched", func() (bool, string) {
		up := i.prometheus(`up{job="infra", type="grafana"} == 1`)
		return len(up) == 1, "no target is up"
	})
	var sources []struct {
		Name, Type, URL string
		Unread          []string
	}
	if err := json.Unmarshal([]byte(i.get("https://g.pigsty/api/datasources")), &sources); err != nil {
		i.t.Fatal(err)
	}
	types := map[string]bool{}
	for _, s := range sources {
		types[s.Type] = true
		if len(s.Unread) > 0 {
			i.t.Errorf("%s cannot read %q", s.Name, s.Unread)
		}
	}
	if !types["prometheus"] || !types["loki"] || !types["postgres"] {
		i.t.Errorf("data sources: %v", sources)
	}
	asGrafana := func(command string) (string, error) {
		out, err := i.nodes.Exec(i.t.Context(), "meta", nil, "runuser", "-u", "grafana", "--", "sh", "-c", command)
		return strings.TrimSpace(string(out)), err
	}
	const curl = "curl -sSf -m 10 --cacert /etc/pigsty/ca.crt --cert /etc/pigsty/infra/grafana.crt --key /etc/pigsty/infra/grafana.key "
	for _, address := range []string{"https://localhost:9090/api/v1/query?query=up", "https://localhost:3100/loki/api/v1/labels"} {
		if out, err := asGrafana(curl + "'" + address + "'"); err != nil || !strings.Contains(out, `"success"`) {
			i.t.Errorf("%s: %s, %v", address, out, err)
		}
	}
	psql := "PGPASSWORD=$(cat /etc/pigsty/infra/grafana-reader-password) psql -qAtX 'host=" + i.net + "10 dbname=meta user=dbuser_monitor sslmode=verify-full sslrootcert=/etc/pigsty/ca.crt' -c "
	if out, err := asGrafana(psql + "'SELECT count(*) > 0 FROM pg_stat_activity'"); err != nil || out != "t" {
		i.t.Errorf("the account that reads: %s, %v", out, err)
	}
	if out, err := asGrafana(psql + "'CREATE TABLE pigsty.written (x int)' 2>&1"); err == nil {
		i.t.Errorf("the account that reads has made a table: %s", out)
	}
}
