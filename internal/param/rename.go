package param

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
	"pigsty/internal/inventory"
)

// rename brings a name of v1.4 up to date. convert changes the value with it.
type rename struct {
	from, to string
	convert  func(*yaml.Node) *yaml.Node
}

// renames are the names of v1.4, those that were only announced for v1.5, and Ansible's other
// names for what it calls by one now.
var renames = []rename{
	{"ansible_become_pass", "ansible_become_password", nil},
	{"ansible_private_key_file", "ansible_ssh_private_key_file", nil},
	{"ansible_ssh_host", "ansible_host", nil},
	{"ansible_ssh_port", "ansible_port", nil},
	{"ansible_ssh_user", "ansible_user", nil},
	{"ansible_sudo_pass", "ansible_become_password", nil},
	{"app_list", "nginx_indexes", nil},
	{"dcs_disable_purge", "dcs_safeguard", nil},
	{"dcs_exists_action", "dcs_clean", actionToBool},
	{"dcs_type", "pg_dcs_type", nil},
	{"grafana_cache", "grafana_plugin_cache", nil},
	{"grafana_git_plugin_git", "grafana_plugin_git", nil},
	{"grafana_git_plugins", "grafana_plugin_git", nil},
	{"grafana_plugin", "grafana_plugin_method", nil},
	{"grafana_plugins", "grafana_plugin_list", nil},
	{"haproxy_admin_auth_enabled", "haproxy_auth_enabled", nil},
	{"node_admin_pks", "node_admin_pk_list", nil},
	{"node_admin_setup", "node_admin_enabled", nil},
	{"node_dns_hosts", "node_etc_hosts_default", nil},
	{"node_dns_hosts_extra", "node_etc_hosts", nil},
	{"node_dns_server", "node_dns_method", nil},
	{"node_extra_packages", "node_packages", nil},
	{"node_local_repo_url", "node_repo_local_urls", toList},
	{"node_meta_packages", "node_packages_meta", nil},
	{"node_meta_pip_install", "node_packages_meta_pip", nil},
	{"node_ntp_config", "node_ntp_enabled", nil},
	{"node_tune_params", "node_sysctl_params", nil},
	{"pg_default_privilegs", "pg_default_privileges", nil},
	{"pg_disable_purge", "pg_safeguard", nil},
	{"pg_exists_action", "pg_clean", actionToBool},
	{"pg_shared_libraries", "pg_libs", nil},
	{"redis_disable_purge", "redis_safeguard", nil},
	{"redis_exists_action", "redis_clean", actionToBool},
	{"repo_enabled", "nginx_enabled", nil},
	{"repo_home", "nginx_home", nil},
	{"repo_port", "nginx_port", nil},
	{"service_registry", "dcs_registry", nil},
}

// notOfV14 are renames that do not show a file to be one of v1.4.
var notOfV14 = []string{"node_tune_params", "pg_default_privilegs"}

// swapped is done besides in a file of v1.4, where node_packages was the list for every node.
var swapped = rename{"node_packages", "node_packages_default", nil}

// removed are parameters of v1.4 that nothing reads any more.
var removed = []string{
	"docs_enabled", "pev2_enabled", "pgbadger_enabled", "pgweb_enabled", "pgweb_username",
	"jupyter_enabled", "redis_install",
}

func renamed(name string) (rename, bool) {
	i := slices.IndexFunc(renames, func(r rename) bool { return r.from == name })
	if i < 0 {
		return rename{}, false
	}
	return renames[i], true
}

// actionToBool turns what v1.4 did about an existing instance, abort, skip or clean, into
// whether it is cleaned.
func actionToBool(n *yaml.Node) *yaml.Node {
	words := map[string]string{"clean": "true", "abort": "false", "skip": "false"}
	word, ok := words[n.Value]
	if n.Kind != yaml.ScalarNode || !ok {
		return n
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: word, Line: n.Line, Column: n.Column}
}

func toList(n *yaml.Node) *yaml.Node {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return n
	}
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{n}, Line: n.Line, Column: n.Column}
}

// Modernise gives every variable of an inventory its present name, in place and at the position
// it had, and warns about each old name. Doing it again changes nothing.
func Modernise(inv *inventory.Inventory) diag.List {
	var problems diag.List
	scopes := inv.Scopes()
	todo := renames
	if isV14(scopes) {
		todo = append([]rename{swapped}, renames...)
	}
	for _, s := range scopes {
		for _, name := range removed {
			if v, ok := s.Vars[name]; ok {
				d := problems.Warnf(v.Pos, "%s is ignored", name)
				d.Hint = "it went away in v1.5; remove the line"
				v.Explain(d)
				delete(s.Vars, name)
			}
		}
		for _, r := range todo {
			r.apply(s.Vars, &problems)
		}
	}
	problems.Sort()
	return problems
}

// isV14 tells whether a file was written for v1.4: it has a name that only v1.4 knew, and none
// of the names that took the place of node_packages.
func isV14(scopes []inventory.Scope) bool {
	old := false
	for _, s := range scopes {
		for name := range s.Vars {
			if name == swapped.to {
				return false
			}
			_, is := renamed(name)
			old = old || is && !slices.Contains(notOfV14, name) && !strings.HasPrefix(name, "ansible_")
		}
	}
	return old
}

func (r rename) apply(vars inventory.Vars, problems *diag.List) {
	v, ok := vars[r.from]
	if !ok {
		return
	}
	d := problems.Warnf(v.Pos, "%s is now called %s", r.from, r.to)
	d.Hint = "rename it"
	delete(vars, r.from)
	if kept, both := vars[r.to]; both {
		d.Hint = "remove it: " + r.to + " is given as well and counts"
		if kept.Pos.Line > 0 {
			d.Hint += fmt.Sprintf(" (line %d)", kept.Pos.Line)
		}
	} else {
		if r.convert != nil {
			v.Node = r.convert(v.Node)
		}
		vars[r.to] = v
	}
	v.Explain(d)
}
