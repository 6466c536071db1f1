package param

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
	"pigsty/internal/inventory"
)

// Check brings an inventory's names up to date, see [Modernise], then examines every variable at
// every place it is set, merged or not: its name, its type, its value, and whether it may be set
// there. Call it once after loading, before any Decode.
func Check(inv *inventory.Inventory) diag.List {
	problems := Modernise(inv)
	for _, s := range inv.Scopes() {
		if s.Level == inventory.LevelGenerated {
			continue
		}
		for _, name := range s.Vars.Names() {
			problems.Add(checkOne(inv, s, name)...)
		}
	}
	problems.Sort()
	return problems
}

func checkOne(inv *inventory.Inventory, s inventory.Scope, name string) diag.List {
	v := s.Vars[name]
	p, known := byName()[name]
	if !known {
		return unknownName(name, v)
	}
	d := decoder{name: name, value: v}
	if whole := shared(inv, s, p); whole != "" {
		problem := d.problems.Errorf(v.Pos, "%s is different for every %s and cannot be set for %s", name, p.alone, whole)
		v.Explain(problem)
		problem.Hint = "set it under each host"
	}
	if p.field != nil && !isNull(v.Node) {
		d.node(v.Node, reflect.New(p.field.typ).Elem(), *p.field, name)
	}
	warnPublished(&d, p)
	warnTemplate(&d, v.Node)
	return d.problems
}

// warnTemplate tells that the templates of Ansible are not evaluated.
func warnTemplate(d *decoder, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "{{") {
		problem := d.problems.Warnf(d.value.NodePos(n), "%s: templates are not evaluated", d.name)
		problem.Hint = "write the value itself"
		d.value.Explain(problem)
	}
	for _, c := range n.Content {
		warnTemplate(d, c)
	}
}

// shared names the hosts that a setting reaches where it can only hold for one; "" where it is
// in its place.
func shared(inv *inventory.Inventory, s inventory.Scope, p Param) string {
	switch {
	case p.alone != "" && s.Level == inventory.LevelAll:
		return "all hosts"
	case p.alone != "" && s.Level == inventory.LevelGroup:
		if n := len(inv.Group(s.Group).Hosts); n > 1 {
			return fmt.Sprintf("the %d hosts of group %s", n, s.Group)
		}
	}
	return ""
}

// publishedDefaults are the passwords that v1.5 shipped with, known to everyone.
var publishedDefaults = map[string]string{
	"pg_admin_password":       "DBUser.DBA",
	"pg_replication_password": "DBUser.Replicator",
	"pg_monitor_password":     "DBUser.Monitor",
	"haproxy_admin_password":  "pigsty",
	"grafana_admin_password":  "pigsty",
}

func warnPublished(d *decoder, p Param) {
	if word, ok := publishedDefaults[p.Name]; ok && d.value.Node.Value == word {
		problem := d.problems.Warnf(d.value.Pos, "%s is the password published with v1.5", p.Name)
		problem.Hint = "remove the line to have one generated"
		d.value.Explain(problem)
	}
}

// names are all that may be typed, for finding what was meant.
var names = sync.OnceValue(func() []string {
	out := slices.Sorted(maps.Keys(byName()))
	for _, r := range renames {
		out = append(out, r.from)
	}
	return out
})

// internalFlags are facts that v1.5's playbooks kept in variables; nobody sets them.
var internalFlags = []string{"consul_exists", "etcd_exists", "repo_exists", "pg_exists", "redis_exists"}

func unknownName(name string, v inventory.Value) diag.List {
	var l diag.List
	var d *diag.Diagnostic
	switch {
	case strings.HasPrefix(name, "ansible_"):
		d = l.Warnf(v.Pos, "%s means nothing here", name)
		d.Hint = "of Ansible's variables only those for connecting are used"
	case slices.Contains(internalFlags, name):
		d = l.Warnf(v.Pos, "%s is found out, not set", name)
		d.Hint = "remove the line"
	default:
		d = l.Errorf(v.Pos, "unknown parameter %q", name)
		d.Hint = unknownHint(name)
	}
	v.Explain(d)
	return l
}

func unknownHint(name string) string {
	if now, ok := laterNames[name]; ok {
		return "that is the name of a later version; here it is " + now
	}
	if near := diag.Nearest(name, names()); near != "" {
		return "did you mean " + near + "?"
	}
	return "`pigsty param` lists them"
}

// laterNames are names of v2 and after that stand for a parameter of v1.5.
var laterNames = map[string]string{
	"pg_default_hba_rules":  "pg_hba_rules",
	"pgb_default_hba_rules": "pgbouncer_hba_rules",
	"pgb_hba_rules":         "pgbouncer_hba_rules_extra",
	"pg_default_services":   "pg_services",
	"pg_vip_address":        "vip_address and vip_cidrmask",
	"pg_vip_enabled":        "vip_mode: l2",
	"pg_vip_interface":      "vip_interface",
	"pg_fs_backup":          "pg_fs_bkup",
	"infra_portal":          "nginx_upstream",
	"node_id_from_pg":       "pg_hostname",
	"etcd_safeguard":        "dcs_safeguard",
	"etcd_clean":            "dcs_clean",
}
