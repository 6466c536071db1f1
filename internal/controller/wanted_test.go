package controller

import (
	"slices"
	"strings"
	"testing"
)

func TestWantedPackages(t *testing.T) {
	for codename, want := range map[string]string{
		"trixie":   "chrony dnsmasq etcd-server nginx patroni postgresql-17 prometheus vip-manager2",
		"bookworm": "chrony etcd-server keepalived nginx patroni postgresql-15 prometheus",
	} {
		extra := []string{"nameserver_enabled=" + map[bool]string{true: "true", false: "false"}[codename == "trixie"]}
		got, err := WantedPackages("../../conf/sandbox.yml", codename, extra)
		if err != nil {
			t.Fatal(err)
		}
		for name := range strings.FieldsSeq(want) {
			if !slices.Contains(got, name) {
				t.Errorf("%s: no %s", codename, name)
			}
		}
		for _, name := range got {
			if slices.Contains([]string{"grafana", "grafana-loki", "promtail", "postgresql-13"}, name) || codename == "bookworm" && name == "dnsmasq" {
				t.Errorf("%s: %s", codename, name)
			}
		}
		t.Logf("%s: %s", codename, strings.Join(got, " "))
	}
	if _, err := WantedPackages("../../conf/sandbox.yml", "sarge", nil); err == nil || !strings.Contains(err.Error(), "sarge") {
		t.Errorf("%v", err)
	}
}
