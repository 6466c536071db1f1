//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
)

// probes look at what clients come to, and see the certificates; the portal's answers are counted.
func (i *infrastructure) probes() {
	i.settles("every port that is looked at answers", func() (bool, string) {
		failed, err := i.query("https://p.pigsty", "/api/v1/query", `probe_success == 0`)
		return err == nil && len(failed) == 0, fmt.Sprint(failed, err)
	})
	for _, of := range []string{"nginx", "etcd", "patroni", "vip"} {
		if good := i.prometheus(`probe_ssl_earliest_cert_expiry{type="` + of + `"} - time() > 300 * 86400`); len(good) == 0 {
			i.t.Errorf("no certificate of %s is seen", of)
		}
	}
	i.settles("the portal's answers are counted", func() (bool, string) {
		counted := i.prometheus(`nginx_responses_total{host="prometheus", status="2xx"} > 0`)
		return len(counted) == 1, fmt.Sprint(counted)
	})
	i.settles("no log is missing, and no probe is about to alarm", func() (bool, string) {
		alarms := i.prometheus(`ALERTS{alertname=~"PromtailSourceSilent|PromtailFileUnread|ScrapeNearLimit|ProbeFailed|CertificateExpir.*"}`)
		return len(alarms) == 0, fmt.Sprint(alarms)
	})
}

// crashed services that watch come back, also those that end as if they had been asked to.
func (i *infrastructure) crashed() {
	units := "prometheus prometheus-alertmanager prometheus-blackbox-exporter prometheus-nginx-exporter prometheus-node-exporter nginx dnsmasq loki promtail"
	processes := func() []string {
		return strings.Fields(onNode(i.t, i.nodes, "meta", "sh", "-c", "systemctl show -P MainPID "+units+"; true"))
	}
	for _, signal := range []string{"SEGV", "TERM"} {
		before := processes()
		onNode(i.t, i.nodes, "meta", "sh", "-c", "for u in "+units+"; do systemctl kill -s "+signal+" --kill-whom=main $u; done")
		// One that ends in good order is active until it has: Promtail waits for a Loki that ends as well.
		i.settles("all run again after "+signal, func() (bool, string) {
			states := onNode(i.t, i.nodes, "meta", "sh", "-c", "systemctl is-active "+units+" | sort -u; true")
			now := processes()
			again := len(before) == len(strings.Fields(units)) && !slices.ContainsFunc(now, func(pid string) bool { return pid == "0" || slices.Contains(before, pid) })
			return states == "active" && again, fmt.Sprint(states, " before ", before, " now ", now)
		})
	}
	i.settles("the portal answers again", func() (bool, string) {
		_, err := i.try("https://pigsty/health/up")
		return err == nil, fmt.Sprint(err)
	})
}

// leftInventory shows that what was taken out there without being removed is found, by a plan of the
// whole alone.
func (i *infrastructure) leftInventory() {
	i.edit("        "+i.net+"13:", "        # "+i.net+"13:")
	const gone = "/etc/prometheus/targets/pgsql/pg-test-3.yml"
	r := i.pigsty("plan")
	for _, path := range []string{gone, "/etc/nginx/conf.d/haproxy/pg-test-3.conf"} {
		if !strings.Contains(r.out, "removed: "+path) {
			i.t.Errorf("the plan leaves %s:\n%s", path, r.out)
		}
	}
	if r := i.pigsty("plan", "-l", "meta"); strings.Contains(r.out, gone) {
		i.t.Errorf("a limited plan sweeps:\n%s", r.out)
	}
	i.edit("        # "+i.net+"13:", "        "+i.net+"13:")
}
