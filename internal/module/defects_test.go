package module_test

import (
	"encoding/json"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/model"
	"pigsty/internal/module"
	"pigsty/internal/register"
	"pigsty/internal/resource"
)

// Defects of v1.5.1 that are about what watches, each by the number it has in the list of its defects.
// Those of rules, D-18 and D-19, are in rules/test.

// everything is one node with all there is.
func everything(t *testing.T, vars string) *model.Deployment {
	t.Helper()
	return read(t, `
all:
  children:
    pg-meta:
      hosts: { 10.10.10.10: { pg_seq: 1, pg_role: primary, meta_node: true, nodename: meta } }
      vars: { pg_cluster: pg-meta, vip_mode: l2, vip_address: 10.10.10.2 }
  vars: { dcs_servers: { etcd-1: 10.10.10.10 }, nameserver_enabled: true`+vars+` }
`)
}

// texts are the files of a deployment by their paths.
func texts(d *model.Deployment) map[string]string {
	all := map[string]string{}
	for _, s := range module.Compile(d) {
		if f, ok := s.Resource.(*resource.File); ok && !f.Absent {
			all[f.Path] = f.Content
		}
	}
	return all
}

// promtail is what of Promtail's configuration the tests look at.
type promtail struct {
	ScrapeConfigs []struct {
		JobName       string `yaml:"job_name"`
		StaticConfigs []struct {
			Labels map[string]string
		} `yaml:"static_configs"`
		Journal struct {
			Labels map[string]string
		}
		RelabelConfigs []struct {
			TargetLabel string `yaml:"target_label"`
			Regex       string
		} `yaml:"relabel_configs"`
		PipelineStages []map[string]any `yaml:"pipeline_stages"`
	} `yaml:"scrape_configs"`
}

func readPromtail(t *testing.T) promtail {
	t.Helper()
	var p promtail
	if err := yaml.Unmarshal([]byte(texts(everything(t, ""))["/etc/promtail.yml"]), &p); err != nil {
		t.Fatal(err)
	}
	if len(p.ScrapeConfigs) < 5 {
		t.Fatalf("Promtail reads %d kinds of logs", len(p.ScrapeConfigs))
	}
	return p
}

// expressions are the regular expressions of stages, however deep.
func expressions(v any) []string {
	var all []string
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			all = append(all, expressions(e)...)
		}
	case map[string]any:
		for name, e := range v {
			if text, ok := e.(string); ok && (name == "expression" || name == "firstline") {
				all = append(all, text)
			}
			all = append(all, expressions(e)...)
		}
	}
	return all
}

// D-01: v1.5.1 chose its pipelines by values that label job never has, so that no log of PostgreSQL got a
// time, a level or its lines together; and an expression had a group twice.
func TestEveryPipelineOfLogsIsReached(t *testing.T) {
	selector := regexp.MustCompile(`^\{(\w+)="([^"]*)"\}$`)
	for _, c := range readPromtail(t).ScrapeConfigs {
		values := map[string][]string{}
		note := func(labels map[string]string) {
			for name, value := range labels {
				values[name] = append(values[name], value)
			}
		}
		for _, s := range c.StaticConfigs {
			note(s.Labels)
		}
		note(c.Journal.Labels)
		for _, r := range c.RelabelConfigs {
			values[r.TargetLabel] = append(values[r.TargetLabel], strings.Split(strings.Trim(strings.TrimSuffix(r.Regex, `\.service`), "()"), "|")...)
		}
		stages := make([]any, len(c.PipelineStages))
		for k, stage := range c.PipelineStages {
			stages[k] = stage
			match, ok := stage["match"].(map[string]any)
			if !ok {
				continue
			}
			m := selector.FindStringSubmatch(match["selector"].(string))
			if m == nil || !slices.Contains(values[m[1]], m[2]) {
				t.Errorf("%s: nothing has %v: %v", c.JobName, match["selector"], values)
			}
		}
		for _, expression := range expressions(stages) {
			re, err := regexp.Compile(expression)
			if err != nil {
				t.Errorf("%s: %v", c.JobName, err)
				continue
			}
			names := slices.DeleteFunc(re.SubexpNames(), func(name string) bool { return name == "" })
			slices.Sort(names)
			if len(slices.Compact(slices.Clone(names))) != len(names) {
				t.Errorf("%s: a group is there twice: %s", c.JobName, expression)
			}
		}
	}
}

// D-02: v1.5.1 collected *.log of a folder into which its service wrote a file of another name. Every file
// that a service is told to write its log to is one that Promtail looks for.
func TestEveryLogThatIsWrittenIsCollected(t *testing.T) {
	var globs []string
	for _, c := range readPromtail(t).ScrapeConfigs {
		for _, s := range c.StaticConfigs {
			globs = append(globs, s.Labels["__path__"])
		}
	}
	var all strings.Builder
	for _, s := range module.Compile(everything(t, "")) {
		text, err := json.Marshal(s.Resource)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for service, where := range map[string]struct{ pattern, file string }{
		"nginx":         {`access_log (/[^ ]+) pigsty;`, ""},
		"nginx, errors": {`error_log (/[^ ]+) warn;`, ""},
		"pgbouncer":     {`logfile = ([^ \\"]+)`, ""},
		"patroni":       {`\\nlog:\\n(?:  [^\\]*\\n)*?  dir: ([^ \\"]+)`, "/patroni.log"},
		"postgres":      {`log_directory[\\"': ]+(/[^ \\"']+)`, "/postgresql-Mon.csv"},
	} {
		found := regexp.MustCompile(where.pattern).FindAllStringSubmatch(all.String(), -1)
		if len(found) == 0 {
			t.Errorf("%s is not told where to log", service)
		}
		for _, m := range found {
			log := m[1] + where.file
			if !slices.ContainsFunc(globs, func(glob string) bool { ok, _ := path.Match(glob, log); return ok }) {
				t.Errorf("%s writes %s, and Promtail reads %q", service, log, globs)
			}
		}
	}
}

// D-04: v1.5.1 had ports of exporters and services in its targets and waits that parameters set otherwise.
func TestPortsFollowTheInventory(t *testing.T) {
	ports := []string{
		"nginx_port", "nginx_ssl_port", "node_exporter_port", "promtail_port", "pg_port", "pgbouncer_port", "patroni_port",
		"pg_exporter_port", "pgbouncer_exporter_port", "haproxy_exporter_port",
	}
	var vars strings.Builder
	for k, name := range ports {
		vars.WriteString(", " + name + ": " + strconv.Itoa(20001+k))
	}
	d := everything(t, vars.String())
	port := regexp.MustCompile(`\d+\.\d+\.\d+\.\d+:(\d+)`)
	fixed := []string{
		strconv.Itoa(model.PrometheusPort), strconv.Itoa(model.AlertmanagerPort), strconv.Itoa(model.LokiPort), strconv.Itoa(model.GrafanaPort),
		strconv.Itoa(model.NginxExporterPort), "2379", "5433", "5434", "5436", "5438", // no parameter sets them, or that of a service
	}
	seen := map[string]bool{}
	for file, text := range texts(d) {
		if !strings.HasPrefix(file, register.TargetsDir) && !strings.HasPrefix(file, register.PagesDir) {
			continue
		}
		for _, m := range port.FindAllStringSubmatch(text, -1) {
			seen[m[1]] = true
			if n, err := strconv.Atoi(m[1]); !slices.Contains(fixed, m[1]) && (err != nil || n < 20001 || n > 20000+len(ports)) {
				t.Errorf("%s has port %s, which the inventory sets otherwise:\n%s", file, m[1], text)
			}
		}
	}
	for k, name := range ports {
		asked := name != "nginx_port" && name != "pg_port" // by way of their exporters alone
		if seen[strconv.Itoa(20001+k)] != asked {
			t.Errorf("%s is among the targets: %v", name, !asked)
		}
	}
	if text := texts(d)["/etc/default/prometheus-nginx-exporter"]; !strings.Contains(text, "127.0.0.1:20001/") {
		t.Errorf("nginx's exporter asks elsewhere: %s", text)
	}
}

// D-06: v1.5.1 wiped the data of Prometheus, and of the store with dcs_clean, in any later run. No apply
// has a step that deletes more than a file, whatever the inventory allows to be deleted.
func TestApplyWipesNoData(t *testing.T) {
	d := everything(t, ", dcs_clean: true, pg_clean: true, dcs_safeguard: false, pg_safeguard: false, prometheus_reload: false, promtail_clean: true")
	for _, n := range d.Nodes {
		n.Facts.EtcdData, n.Facts.PgData = true, true
	}
	kept := []string{"/data/prometheus/data", "/data/etcd", "/data/loki", "/data/postgres", "/var/lib/promtail"}
	for _, s := range module.CompileWhole(d) {
		switch r := s.Resource.(type) {
		case *resource.Directory:
			if r.Absent {
				t.Errorf("%s is removed", r.Path)
			}
		case *resource.File:
			if r.Absent && slices.ContainsFunc(kept, func(dir string) bool { return strings.HasPrefix(r.Path, dir+"/") }) {
				t.Errorf("%s is removed", r.Path)
			}
		case *resource.SetAside, *resource.DestroyAside:
			t.Errorf("%s is among an apply's steps", resource.ID(r))
		case *resource.Sweep:
			if !slices.Contains([]string{register.TargetsDir, register.PagesDir}, r.Path) && filepath.Dir(r.Path) != register.TargetsDir {
				t.Errorf("%s is swept", r.Path)
			}
		}
	}
}

// D-13: with exporter_install: yum v1.5.1's tasks were an error of syntax. The parameter is known, and
// exporters come as packages whatever it says.
func TestExportersComeWhateverInstallsThem(t *testing.T) {
	packages := func(d *model.Deployment) []string {
		var names []string
		for _, s := range module.Compile(d) {
			if p, ok := s.Resource.(*resource.Packages); ok {
				names = append(names, p.Packages...)
			}
		}
		return names
	}
	want := packages(everything(t, ""))
	for _, exporter := range []string{"prometheus-node-exporter", "prometheus-nginx-exporter", "prometheus-blackbox-exporter"} {
		if !slices.Contains(want, exporter) {
			t.Errorf("%s is not among %q", exporter, want)
		}
	}
	for _, how := range []string{"yum", "binary", "none"} {
		if got := packages(everything(t, ", exporter_install: "+how)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", how, got, want)
		}
	}
}
