package cli

import (
	"encoding/json"
	"slices"

	"pigsty/internal/diag"
	"pigsty/internal/inventory"
	"pigsty/internal/param"
)

// ansibleGroup is a group in Ansible's inventory JSON.
type ansibleGroup struct {
	Hosts    []string       `json:"hosts,omitempty"`
	Children []string       `json:"children,omitempty"`
	Vars     map[string]any `json:"vars,omitempty"`
}

// ansibleJSON gives an inventory in the form that Ansible exchanges inventories in: _meta.hostvars
// with every host's merged variables, and each group by name.
func ansibleJSON(inv *inventory.Inventory, hosts []string, secrets bool) map[string]any {
	hostvars := map[string]any{}
	for _, h := range hosts {
		hostvars[h] = plainVars(inv.Vars(h), secrets)
	}
	all := ansibleGroup{Vars: plainVars(inv.Global(), secrets)}
	out := map[string]any{"_meta": map[string]any{"hostvars": hostvars}}
	for _, g := range topGroups(inv) {
		all.Children = append(all.Children, g.Name)
	}
	for _, g := range inv.Groups() {
		own := slices.DeleteFunc(g.OwnHosts(), func(h string) bool { return !slices.Contains(hosts, h) })
		out[g.Name] = ansibleGroup{Hosts: own, Children: g.Children, Vars: plainVars(g.Vars, secrets)}
	}
	var alone []string
	for _, h := range hosts {
		if len(inv.GroupsOf(h)) == 0 {
			alone = append(alone, h)
		}
	}
	if len(alone) > 0 {
		all.Children = append(all.Children, "ungrouped")
		out["ungrouped"] = ansibleGroup{Hosts: alone}
	}
	out["all"] = all
	return out
}

func plainVars(vars inventory.Vars, secrets bool) map[string]any {
	out := map[string]any{}
	for name, v := range vars {
		out[name] = plainVar(name, v, secrets)
	}
	return out
}

// plainVar gives a variable's value, with what is secret in it masked.
func plainVar(name string, v inventory.Value, secrets bool) any {
	plain := v.Plain()
	if secrets {
		return plain
	}
	return hide(name, plain)
}

// hide masks secrets at any depth, told by the names they go by.
func hide(name string, v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = hide(k, x[k])
		}
		return x
	case []any:
		for i := range x {
			x[i] = hide(name, x[i])
		}
		return x
	case nil:
		return nil
	}
	if param.IsSecret(name) && v != "" {
		return diag.Masked
	}
	if s, ok := v.(string); ok {
		text, _ := diag.Mask([]string{s}, 1, 0)
		return text
	}
	return v
}

// oneLine prints a value for a table cell, shortened.
func oneLine(v any) string {
	const most = 60
	text, ok := v.(string)
	if !ok {
		data, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		text = string(data)
	}
	r := []rune(text)
	for i := range r {
		if r[i] < ' ' {
			r[i] = ' '
		}
	}
	if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return string(r)
}
