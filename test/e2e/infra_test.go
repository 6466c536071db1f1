//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestInfra deploys the platform with what watches it, and looks at it as users do: through the
// portal, by PromQL and LogQL.
func TestInfra(t *testing.T) {
	t.Parallel() // most of it is waiting
	nodes := startNodes(t, "t-infra", "10.10.87.0/24", 4, withWatching)
	s := newSite(t, nodes, "sandbox.yml")
	s.extra = []string{"-e", "nameserver_enabled=true", "-e", "dns_records=[" + s.net + "3 pg-test]"}
	i := &infrastructure{s}
	i.withoutPackages()
	i.buildRepository()
	s.apply()
	s.healthy()
	for _, step := range []struct {
		name string
		do   func(*infrastructure)
	}{
		{"targets", (*infrastructure).targets},
		{"portal", (*infrastructure).portal},
		{"probes", (*infrastructure).probes},
		{"logs", (*infrastructure).logs},
		{"pages", (*infrastructure).pages},
		{"links", (*infrastructure).links},
		{"receivers", (*infrastructure).receivers},
		{"Grafana", (*infrastructure).grafana},
		{"nameserver", (*infrastructure).nameserver},
		{"leader moves", (*infrastructure).leaderMoves},
		{"databases that are looked into", (*infrastructure).databasesRemoved},
		{"instance removed", (*infrastructure).instanceRemoved},
		{"crashed services", (*infrastructure).crashed},
		{"left the inventory", (*infrastructure).leftInventory},
		{"meta node rebooted", (*infrastructure).rebooted},
	} {
		t.Run(step.name, func(t *testing.T) {
			in := &infrastructure{i.in(t)}
			step.do(in)
			in.planIsEmpty()
		})
	}
}

type infrastructure struct{ *site }

// client trusts the deployment's authority, and reaches every name at the meta node.
func (i *infrastructure) client() *http.Client {
	i.t.Helper()
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		TLSClientConfig: i.trust(),
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			return dialer.DialContext(ctx, network, net.JoinHostPort(i.net+"10", port))
		},
	}}
}

// get fetches a page that has to be there.
func (i *infrastructure) get(from string) string {
	i.t.Helper()
	text, err := i.try(from)
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

func (i *infrastructure) try(from string) (string, error) {
	response, err := i.client().Get(from)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", from, response.Status, text)
	}
	return string(text), err
}

// series is a result of PromQL or LogQL: its labels, and its value or first line.
type series struct {
	Labels map[string]string `json:"metric"`
	Stream map[string]string `json:"stream"`
	Value  []any             `json:"value"`
	Values [][]string        `json:"values"`
}

func (i *infrastructure) query(base, path, query string) ([]series, error) {
	text, err := i.try(base + path + "?" + url.Values{"query": {query}}.Encode())
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct{ Result []series }
	}
	err = json.Unmarshal([]byte(text), &answer)
	return answer.Data.Result, err
}

// prometheus evaluates an expression now.
func (i *infrastructure) prometheus(query string) []series {
	i.t.Helper()
	all, err := i.query("https://p.pigsty", "/api/v1/query", query)
	if err != nil {
		i.t.Fatal(err)
	}
	return all
}

// settles waits for a condition that has to come about within two minutes.
func (i *infrastructure) settles(what string, is func() (bool, string)) {
	i.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Second) {
		ok, detail := is()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			i.t.Fatalf("%s: not after two minutes: %s", what, detail)
		}
	}
}

// up waits until the targets are those of the inventory, so many of each job and type, and all are up.
func (i *infrastructure) up(want map[string]int) {
	i.t.Helper()
	i.settles("the targets of the inventory", func() (bool, string) {
		count := map[string]int{}
		all, err := i.query("https://p.pigsty", "/api/v1/query", `up`)
		for _, s := range all {
			count[s.Labels["job"]+" "+s.Labels["type"]]++
		}
		return err == nil && maps.Equal(count, want), fmt.Sprint(count, err)
	})
	i.settles("they are up", func() (bool, string) {
		down, err := i.query("https://p.pigsty", "/api/v1/query", `up == 0`)
		return err == nil && len(down) == 0, fmt.Sprint(down, err)
	})
}

// targets are those that the inventory makes, and all of them are up.
func (i *infrastructure) targets() {
	i.up(map[string]int{
		"infra prometheus": 1, "infra alertmanager": 1, "infra nginx": 1, "infra etcd": 3, "infra loki": 1,
		"nodes node": 4, "nodes promtail": 4, "pgsql patroni": 4, "pgsql haproxy": 4, "pgsql pgsql": 4, "pgsql pgbouncer": 4, "probe vip": 2,
		"probe nginx": 1, "probe etcd": 3, "probe patroni": 4, "probe pgbouncer": 4, "probe service": 19,
	})
	for _, s := range i.prometheus(`up{job="pgsql"}`) {
		if s.Labels["cls"]+"-" != s.Labels["ins"][:len(s.Labels["cls"])+1] || !strings.HasPrefix(s.Labels["instance"], s.Labels["ip"]+":") {
			i.t.Errorf("labels %v", s.Labels)
		}
	}
	i.settles("both virtual addresses lead to a primary", func() (bool, string) {
		held, err := i.query("https://p.pigsty", "/api/v1/query", `probe_success{type="vip"} == 1`)
		return err == nil && len(held) == 2, fmt.Sprint(held, err)
	})
	// Nobody but who has a certificate of the authority may ask etcd.
	if out := onNode(i.t, i.nodes, "meta", "sh", "-c", "curl -s -k -o /dev/null -m 5 https://"+i.net+"10:2379/metrics; echo $?"); out == "0" {
		i.t.Error("etcd tells its metrics to anybody")
	}
}

// portal is the home page, and a server for each upstream, by HTTP and HTTPS, with a log of its own.
func (i *infrastructure) portal() {
	for _, scheme := range []string{"http", "https"} {
		page := i.get(scheme + "://pigsty/")
		for _, want := range []string{"pg-test-2", "pg-meta", i.net + "13", "p.pigsty", "/health/up"} {
			if !strings.Contains(page, want) {
				i.t.Errorf("the home page by %s does not have %q", scheme, want)
			}
		}
	}
	if outside := regexpURL.FindAllString(i.get("http://pigsty/"), -1); slices.ContainsFunc(outside, func(u string) bool { return !strings.Contains(u, "pigsty") && !strings.Contains(u, "www.w3.org") }) {
		i.t.Errorf("the home page asks others: %v", outside)
	}
	if up := i.get("https://pigsty/health/up"); !strings.Contains(up, `"status":"success"`) {
		i.t.Errorf("what the home page asks: %s", up)
	}
	if _, err := i.try("http://pigsty/pg-test-1/"); err == nil || !strings.Contains(err.Error(), "401") {
		i.t.Errorf("the admin page of HAProxy, which asks who comes: %v", err)
	}
	if page := i.get("http://a.pigsty/"); !strings.Contains(page, "Alertmanager") {
		i.t.Errorf("Alertmanager's page: %s", page)
	}
	line := onNode(i.t, i.nodes, "meta", "tail", "-n1", "/var/log/nginx/alertmanager.log")
	var entry struct {
		Host, Method, Path, Agent, Time string
		Status, Bytes                   int
		Duration                        float64
	}
	if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Host != "a.pigsty" || entry.Method != "GET" || entry.Status != 200 || entry.Bytes == 0 {
		i.t.Errorf("%v: %s", err, line)
	}
	i.edit("    dcs_servers:", "    nginx_users: [{ name: ann, password: let-me-in }]\n    dcs_servers:")
	i.apply()
	if _, err := i.try("https://p.pigsty/api/v1/query?query=up"); err == nil || !strings.Contains(err.Error(), "401") {
		i.t.Errorf("the portal lets in who has no password: %v", err)
	}
	i.closedPorts()
	if got := onNode(i.t, i.nodes, "node-1", "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "http://pigsty/pigsty/dists/trixie/InRelease"); got != "200" {
		i.t.Errorf("apt would be asked for a password: %s", got)
	}
	i.edit("    nginx_users: [{ name: ann, password: let-me-in }]\n", "")
	i.apply()
}

// closedPorts shows that there is no way around the portal's password, and that what watches goes on.
func (i *infrastructure) closedPorts() {
	portal := "https://ann:let-me-in@p.pigsty"
	now := time.Now().Unix()
	i.settles("Prometheus scrapes itself and Alertmanager, and knows where to send alerts", func() (bool, string) {
		up, err := i.query(portal, "/api/v1/query", fmt.Sprintf(`timestamp(up{type=~"prometheus|alertmanager"} == 1) > %d`, now))
		if err != nil || len(up) != 2 {
			return false, fmt.Sprintf("%v, %v", up, err)
		}
		text, err := i.try(portal + "/api/v1/alertmanagers")
		return err == nil && strings.Contains(text, ":9093/api/v2/alerts"), text
	})
	if text := i.get("http://ann:let-me-in@pigsty/health/up"); !strings.Contains(text, `"success"`) {
		i.t.Errorf("the home page learns nothing: %s", text)
	}
	for _, port := range []string{"9090", "9093"} {
		if text, err := i.try("https://pigsty:" + port + "/-/healthy"); err == nil {
			i.t.Errorf("port %s answers who has no certificate: %s", port, text)
		}
	}
}

// nameserver answers for what dns_records has.
func (i *infrastructure) nameserver() {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, i.net+"10:53")
	}}
	addrs, err := resolver.LookupHost(i.t.Context(), "pg-test")
	if err != nil || !slices.Equal(addrs, []string{i.net + "3"}) {
		i.t.Errorf("pg-test is %v, %v", addrs, err)
	}
}

// leaderMoves shows that nothing has to be registered anew when another member leads: who does is
// measured, and what is written down of an instance does not say it.
func (i *infrastructure) leaderMoves() {
	leads := func(name string) func() (bool, string) {
		return func() (bool, string) {
			now := i.prometheus(`pg_in_recovery{cls="pg-test"} == 0`)
			return len(now) == 1 && now[0].Labels["ins"] == name, fmt.Sprint(now)
		}
	}
	i.settles("pg-test-1 leads", leads("pg-test-1"))
	i.must(0, "pg", "switchover", "pg-test", "--to", "pg-test-2", "-y")
	i.settles("pg-test-2 leads", leads("pg-test-2"))
	i.healthy()
}

// databasesRemoved shows that the exporter, which has a session in every database, uses none: one is set
// aside, and one deleted, without ending anybody's session.
func (i *infrastructure) databasesRemoved() {
	const before = "          - { name: test }\n"
	const two = "          - { name: shop }\n          - { name: mall }\n"
	i.edit(before, before+two)
	i.apply()
	i.settles("the exporter looks into both", func() (bool, string) {
		n, err := i.ask(i.dba(lastNumber(i.leads().Host)), "SELECT count(DISTINCT datname)::text FROM pg_stat_activity WHERE application_name = 'pg_exporter' AND datname IN ('shop', 'mall')")
		return err == nil && n == "2", fmt.Sprint(n, err)
	})
	i.edit(two, "")
	i.must(0, "remove", "database", "pg-test/shop", "--yes-destroy", "pg-test/shop")
	i.must(0, "remove", "database", "pg-test/mall", "--now", "-e", "pg_clean=true", "--yes-destroy", "pg-test/mall")
	i.must(0, "undo", "--forget", "pg-test/shop", "--yes-destroy", "pg-test/shop")
}

// instanceRemoved takes a replica away: nobody scrapes it any more, until it is back.
func (i *infrastructure) instanceRemoved() {
	const one = `up{ins="pg-test-3",job="pgsql"}`
	i.must(0, "remove", "instance", "pg-test-3", "-e", unprotected, "--yes-destroy", "pg-test-3")
	i.settles("the target is gone", func() (bool, string) {
		left := i.prometheus(one)
		return len(left) == 0, fmt.Sprint(left)
	})
	i.must(0, "undo", "pg-test-3", "-y")
	i.settles("the target is back", func() (bool, string) {
		back := i.prometheus(one + " == 1")
		return len(back) == 4, fmt.Sprint(back)
	})
}

// rebooted starts the meta node anew: everything comes back by itself.
func (i *infrastructure) rebooted() {
	before := i.prometheus("count_over_time(up{type=\"prometheus\"}[1h])")
	must(i.t, "power cut", func() error { return i.nodes.Kill(i.t.Context(), "meta") })
	must(i.t, "start", func() error { return i.nodes.Start(i.t.Context(), "meta") })
	i.settles("the portal is back", func() (bool, string) {
		_, err := i.try("https://pigsty/health/up")
		return err == nil, fmt.Sprint(err)
	})
	i.healthy()
	i.settles("every target is up", func() (bool, string) {
		down, err := i.query("https://p.pigsty", "/api/v1/query", `up == 0`)
		return err == nil && len(down) == 0, fmt.Sprint(down, err)
	})
	if after := i.prometheus("count_over_time(up{type=\"prometheus\"}[1h])"); len(before) != 1 || len(after) != 1 {
		i.t.Errorf("Prometheus has lost what it had: %v, %v", before, after)
	}
}

// regexpURL finds addresses in a page.
var regexpURL = regexp.MustCompile(`https?://[A-Za-z0-9.-]+`)
