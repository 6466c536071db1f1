package node_test

import (
	"strings"
	"testing"

	"pigsty/internal/module/node"
	"pigsty/internal/resource"
)

// The rules' inputs come from node_exporter whatever options an inventory gives it, such as v1.5's, and
// what an inventory says itself stands: the exporter does not start with an option twice.
func TestExporterHasWhatRulesRead(t *testing.T) {
	const fields, types = "--collector.netstat.fields=", "--collector.filesystem.fs-types-exclude="
	for _, c := range []struct{ options, failed string }{
		{"--no-collector.softnet --collector.tcpstat", "AttemptFails"},
		{"--collector.netstat.fields=Tcp_ActiveOpens", "Tcp_ActiveOpens"},
	} {
		d := deployment(t, "bare")
		d.Nodes[0].Param.NodeExporterOptions = c.options
		text := ""
		for _, s := range node.Compile(d) {
			if f, ok := s.Resource.(*resource.File); ok && s.Node == d.Nodes[0].Addr && f.Path == "/etc/default/prometheus-node-exporter" {
				text = f.Content
			}
		}
		if strings.Count(text, fields) != 1 || strings.Count(text, types) != 1 {
			t.Fatalf("an option is missing or there twice: %s", text)
		}
		_, given, _ := strings.Cut(text, fields)
		given, _, _ = strings.Cut(given, " ")
		if !strings.Contains(given, c.failed) {
			t.Errorf("fields of netstat: %s", given)
		}
		_, excluded, _ := strings.Cut(text, types)
		if excluded, _, _ = strings.Cut(excluded, " "); strings.Contains(excluded, "overlay") {
			t.Errorf("a root on an overlay is left out: %s", excluded)
		}
	}
}
