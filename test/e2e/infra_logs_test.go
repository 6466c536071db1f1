//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// withoutPackages deploys where no repository has Loki and Promtail: all the rest is there, and nothing is
// watched that could only be down.
func (i *infrastructure) withoutPackages() {
	own := i.extra
	defer func() { i.extra = own }()
	i.extra = append(slices.Clone(own), "-e", "node_repo_method=none")
	i.apply()
	if got := onNode(i.t, i.nodes, "meta", "ls", "/etc/prometheus/targets/nodes"); strings.Contains(got, "promtail") || strings.Count(got, ".yml") != 4 {
		i.t.Errorf("nodes that Prometheus knows of where there is no Promtail:\n%s", got)
	}
}

// buildRepository makes the local repository with the packages that Debian lacks. The plan knows of them,
// although apt on the nodes does not yet.
func (i *infrastructure) buildRepository() {
	i.must(0, "repo", "build", "--yes", "--packages", buildPackages(i.t))
	plan := i.must(2, "plan").out
	for _, want := range []string{"packages loki", "packages promtail"} {
		if !strings.Contains(plan, want) {
			i.t.Errorf("the plan does not say %q:\n%s", want, plan)
		}
	}
}

// logs of every source are found by LogQL through the portal, with labels of few values, and what has
// many beside the line.
func (i *infrastructure) logs() {
	db := login{host: "11", port: "5433", user: "test", password: "test", database: "test"}
	conn := i.mustConnect(db)
	if _, err := conn.Exec(i.t.Context(), "SELECT 1 /* two\nlines */ / 0"); err == nil {
		i.t.Fatal("a division by zero went well")
	}
	onNode(i.t, i.nodes, "node-2", "logger", "-t", "greeter", "a line by syslog")
	i.get("https://p.pigsty/api/v1/query?query=up")
	for what, query := range map[string]string{
		"an error of two lines":       `{job="pgsql",src="postgres",cls="pg-test",level="ERROR"} | code="22012" | datname="test" | usename="test" |= "lines */"`,
		"Patroni's round":             `{job="pgsql",src="patroni",cls="pg-test",ins="pg-test-2",level="INFO"}`,
		"the pool":                    `{job="pgsql",src="pgbouncer",cls="pg-test",level="LOG"}`,
		"the balancer":                `{job="pgsql",src="haproxy",cls="pg-test",ins="pg-test-1",unit="haproxy"}`,
		"the virtual address":         `{job="pgsql",src="vip-manager",cls="pg-test"}`,
		"etcd":                        `{job="infra",src="etcd",level=~"info|warn"}`,
		"a request, by its fields":    `{job="infra",src="nginx",upstream="prometheus"} | json | method="GET" | status="200" | path=~".*/api/v1/query.*" | agent!="" | bytes>0`,
		"a line by syslog":            `{job="nodes",src="syslog",ins="pg-test-2",ip="` + i.net + `12"} |= "a line by syslog"`,
		"a line of a unit's":          `{job="nodes",src="journal",unit="promtail"}`,
		"Prometheus' own in journals": `{job="nodes",src="journal",unit="prometheus",cls="pg-meta"}`,
	} {
		i.settles(what, func() (bool, string) {
			found, err := i.query("https://l.pigsty", "/loki/api/v1/query_range", query)
			return err == nil && len(found) > 0, fmt.Sprint(query, err)
		})
	}
	response, err := i.client().Post("https://l.pigsty/loki/api/v1/push", "application/json", strings.NewReader(`{"streams":[]}`))
	if err != nil {
		i.t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		i.t.Errorf("who reaches the portal may write logs: %s", response.Status)
	}
	// Without the portal, nobody without a certificate gets in at all.
	if out := onNode(i.t, i.nodes, "node-1", "sh", "-c", "curl -s -k -o /dev/null -m 5 https://"+i.net+"10:3100/ready; echo $?"); out == "0" {
		i.t.Error("Loki answers who shows no certificate")
	}
}

// receivers are told of alerts by a configuration of one's own, which is refused when it is wrong.
func (i *infrastructure) receivers() {
	own := filepath.Join(filepath.Dir(i.path), "alerts.yml")
	write := func(text string) {
		if err := os.WriteFile(own, []byte(text), 0o600); err != nil {
			i.t.Fatal(err)
		}
	}
	write("route: { receiver: team }\nreceivers: [{ name: team, webhook_configs: [{ url: 'http://127.0.0.1:9/secret-word' }] }]\n")
	i.edit("        meta_node: true\n", "        meta_node: true\n        alertmanager_config: alerts.yml\n")
	if r := i.must(2, "plan"); strings.Contains(r.out, "secret-word") {
		i.t.Error("the plan shows the file")
	}
	i.apply()
	if page := i.get("http://a.pigsty/api/v2/receivers"); !strings.Contains(page, `"team"`) {
		i.t.Errorf("receivers: %s", page)
	}
	write("route: { receiver: nobody-of-that-name }\nreceivers: []\n")
	if r := i.pigsty("apply", "--yes"); r.code != 1 || !strings.Contains(r.out+r.err, "nothing is replaced") {
		i.t.Errorf("a wrong file: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	i.edit("        alertmanager_config: alerts.yml\n", "")
	i.apply()
}
