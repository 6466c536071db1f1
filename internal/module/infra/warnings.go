package infra

import (
	"pigsty/internal/diag"
	"pigsty/internal/model"
)

// Warnings tells of wishes that are not fulfilled, each where the inventory has it.
func Warnings(d *model.Deployment) diag.List {
	var list diag.List
	for _, m := range d.Metas {
		warn := func(variable, what, hint string) {
			value := m.Node.Vars[variable]
			problem := list.Warnf(value.Pos, "%s: %s", variable, what)
			problem.Hint = hint
			value.Explain(problem)
		}
		if m.Param.PrometheusEnabled && m.Param.PrometheusSdMethod == "consul" {
			warn("prometheus_sd_method", "targets are not looked for in Consul", "leave it at static: an apply writes the targets' files")
		}
		if m.Param.GrafanaEnabled {
			if len(m.Param.GrafanaPluginList) > 0 {
				warn("grafana_plugin_list", "plugins are not installed", "install them by hand with grafana cli")
			}
			if len(m.Param.GrafanaPluginGit) > 0 {
				warn("grafana_plugin_git", "plugins are not installed", "install them by hand")
			}
		}
	}
	list.Sort() // several nodes share a variable, and say it once
	return list
}
