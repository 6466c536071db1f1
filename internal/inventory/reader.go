package inventory

import (
	"cmp"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
)

// groupKeys are what may stand under a group.
var groupKeys = []string{"hosts", "vars", "children"}

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	groupName    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
	hostName     = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)
	dottedDigits = regexp.MustCompile(`^[0-9.]+$`)
)

// reader turns a document into an inventory, collecting every problem on the way.
type reader struct {
	inv      *Inventory
	problems diag.List
}

func (r *reader) pos(n *yaml.Node) diag.Pos {
	return diag.Pos{File: r.inv.text.file, Line: n.Line, Column: n.Column}
}

// root reads the top of the document: `all`, or groups standing by themselves.
func (r *reader) root(root *yaml.Node) {
	if root.Kind != yaml.MappingNode {
		r.problems.Errorf(r.pos(root), "an inventory is a mapping, not %s", kindName(root)).Hint = "start it with `all:`"
		return
	}
	for k, v := range pairs(root) {
		switch {
		case k.Value == "all":
			r.everything(v)
		case v.Kind == yaml.MappingNode && hasGroupKey(v), isNull(v):
			r.group(k, v, "")
		default:
			r.problems.Errorf(r.pos(k), "%q is not a group", k.Value).Hint = "a group has hosts, vars or children; parameters go under all: vars:"
		}
	}
}

func hasGroupKey(n *yaml.Node) bool {
	for k := range pairs(n) {
		if slices.Contains(groupKeys, k.Value) {
			return true
		}
	}
	return len(n.Content) == 0
}

// everything reads the group all.
func (r *reader) everything(n *yaml.Node) {
	if isNull(n) {
		return
	}
	if !r.mapping(n, "all") {
		return
	}
	for k, v := range pairs(n) {
		switch k.Value {
		case "vars":
			maps.Copy(r.inv.all, r.vars(v, LevelAll, "all"))
		case "hosts":
			r.hosts(v, "all", func(host string, vars Vars) { r.inv.hostVars[host] = vars })
		case "children":
			r.children(v, "")
		default:
			r.unexpected(k, "all")
		}
	}
}

// children reads the groups below another one and gives their names; parent is "" for all.
func (r *reader) children(n *yaml.Node, parent string) []string {
	if isNull(n) || !r.mapping(n, "children") {
		return nil
	}
	var names []string
	for k, v := range pairs(n) {
		if r.group(k, v, parent) {
			names = append(names, k.Value)
		}
	}
	return names
}

// group reads one group; a group named in several places is one group.
func (r *reader) group(key, n *yaml.Node, parent string) bool {
	name := key.Value
	if !groupName.MatchString(name) || name == "all" {
		r.problems.Errorf(r.pos(key), "%q cannot be the name of a group", name).Hint = "use letters, digits, '_', '-' and '.'"
		return false
	}
	g := r.inv.byName[name]
	if g == nil {
		g = &Group{Name: name, Pos: r.pos(key), Priority: 1, Vars: Vars{}, hostVars: map[string]Vars{}}
		r.inv.byName[name] = g
		r.inv.groups = append(r.inv.groups, g)
	}
	if parent != "" && !slices.Contains(g.parents, parent) {
		g.parents = append(g.parents, parent)
	}
	if isNull(n) || !r.mapping(n, "group "+name) {
		return true
	}
	for k, v := range pairs(n) {
		r.groupPart(g, k, v)
	}
	return true
}

func (r *reader) groupPart(g *Group, k, v *yaml.Node) {
	where := "group " + g.Name
	switch k.Value {
	case "vars":
		maps.Copy(g.Vars, r.vars(v, LevelGroup, where))
		if p, ok := g.Vars["ansible_group_priority"]; ok {
			r.priority(g, p)
		}
	case "hosts":
		r.hosts(v, where, func(host string, vars Vars) {
			if _, known := g.hostVars[host]; !known {
				g.own = append(g.own, host)
				g.hostVars[host] = Vars{}
			}
			maps.Copy(g.hostVars[host], vars)
		})
	case "children":
		for _, c := range r.children(v, g.Name) {
			if !slices.Contains(g.Children, c) {
				g.Children = append(g.Children, c)
			}
		}
	default:
		r.unexpected(k, where)
	}
}

func (r *reader) priority(g *Group, v Value) {
	p, err := strconv.Atoi(v.Node.Value)
	if v.Node.Kind != yaml.ScalarNode || err != nil {
		r.problems.Errorf(v.NodePos(v.Node), "ansible_group_priority of group %s is not a whole number", g.Name)
		return
	}
	g.Priority = p
}

// hosts reads the hosts of a group and hands each to add.
func (r *reader) hosts(n *yaml.Node, where string, add func(string, Vars)) {
	if isNull(n) {
		return
	}
	if n.Kind == yaml.SequenceNode {
		r.problems.Errorf(r.pos(n), "hosts of %s is a list", where).Hint = "write each host as a key, `10.10.10.11: {}`"
		return
	}
	if !r.mapping(n, "hosts of "+where) {
		return
	}
	for k, v := range pairs(n) {
		host := k.Value
		if problem := badHost(host); problem != "" {
			r.problems.Errorf(r.pos(k), "%q is not a host: %s", host, problem)
			continue
		}
		if _, known := r.inv.hostPos[host]; !known {
			r.inv.hosts = append(r.inv.hosts, host)
			r.inv.hostPos[host] = r.pos(k)
		}
		vars := Vars{}
		if !isNull(v) {
			vars = r.vars(v, LevelHost, "host "+host)
		}
		add(host, vars)
	}
}

// badHost says what is wrong with a host's name, "" when it may be one.
func badHost(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	switch {
	case dottedDigits.MatchString(host):
		return "the address is malformed"
	case strings.ContainsAny(host, "[]"):
		return "write every host of a range by itself"
	case strings.Contains(host, ":"):
		return "give the port as ansible_port"
	case !hostName.MatchString(host) || len(host) > 253:
		return "want an address or a DNS name"
	}
	return ""
}

// vars reads a mapping of variables.
func (r *reader) vars(n *yaml.Node, level Level, from string) Vars {
	out := Vars{}
	if isNull(n) || !r.mapping(n, "variables of "+from) {
		return out
	}
	for k, v := range pairs(n) {
		if k.Kind != yaml.ScalarNode || !variableName.MatchString(k.Value) {
			r.problems.Errorf(r.pos(k), "%q cannot be the name of a variable", k.Value).Hint = "use letters, digits and '_'"
			continue
		}
		out[k.Value] = Value{Node: v, Pos: r.pos(k), Level: level, From: from, text: r.inv.text}
	}
	return out
}

func (r *reader) mapping(n *yaml.Node, what string) bool {
	if n.Kind == yaml.MappingNode {
		return true
	}
	r.problems.Errorf(r.pos(n), "%s is %s, want a mapping", what, kindName(n)).Hint = "write `name: value` lines below it"
	return false
}

func (r *reader) unexpected(k *yaml.Node, where string) {
	d := r.problems.Errorf(r.pos(k), "unexpected key %q in %s", k.Value, where)
	d.Hint = "a group has hosts, vars and children"
	if near := diag.Nearest(k.Value, groupKeys); near != "" {
		d.Hint = "did you mean " + near + "?"
	} else if variableName.MatchString(k.Value) {
		d.Hint += "; parameters go under vars:"
	}
}

// link computes what needs all groups to be known: members through children, and the order in
// which groups merge: parents before children, then by priority, then by name.
func (r *reader) link() {
	order := map[string]int{}
	for i, h := range r.inv.hosts {
		order[h] = i
	}
	for _, g := range r.inv.groups {
		members := map[string]bool{}
		if !r.collect(g, members, map[string]bool{}) {
			r.problems.Errorf(g.Pos, "group %s is its own child", g.Name)
		}
		g.Hosts = slices.SortedFunc(maps.Keys(members), func(a, b string) int { return order[a] - order[b] })
		g.depth = len(r.inv.ancestors(g.Name))
		if pos, ok := r.inv.hostPos[g.Name]; ok {
			r.problems.Warnf(g.Pos, "%s is the name of a group and of a host (line %d)", g.Name, pos.Line)
		}
	}
	r.inv.merging = slices.SortedFunc(slices.Values(r.inv.groups), func(a, b *Group) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Name, b.Name))
	})
	for _, g := range r.inv.merging {
		for _, h := range g.Hosts {
			r.inv.memberOf[h] = append(r.inv.memberOf[h], g)
		}
	}
}

// collect gathers a group's hosts and those of its children; false for a cycle.
func (r *reader) collect(g *Group, members, path map[string]bool) bool {
	if path[g.Name] {
		return false
	}
	path[g.Name] = true
	defer delete(path, g.Name)
	for _, h := range g.own {
		members[h] = true
	}
	ok := true
	for _, c := range g.Children {
		ok = r.collect(r.inv.byName[c], members, path) && ok
	}
	return ok
}

// extra reads the name=value settings of the command line.
func (r *reader) extra(settings []string) {
	for _, s := range settings {
		name, value, found := strings.Cut(s, "=")
		name = strings.TrimSpace(name)
		pos := diag.Pos{File: "-e " + name}
		if !found || !variableName.MatchString(name) {
			r.problems.Errorf(diag.Pos{File: "-e"}, "want name=value").Hint = "for example -e pg_version=17"
			continue
		}
		sub := reader{inv: &Inventory{text: newText(pos.File, []byte(value))}}
		node := sub.document([]byte(value))
		if node == nil {
			node = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
		}
		if sub.problems.HasErrors() {
			r.problems.Errorf(pos, "the value is not YAML: %s", sub.problems[0].Summary)
			continue
		}
		clearLines(node, map[*yaml.Node]bool{})
		r.inv.extra[name] = Value{Node: node, Pos: pos, Level: LevelExtra, From: "-e"}
	}
}

// clearLines forgets positions, which mean nothing for a command line.
func clearLines(n *yaml.Node, seen map[*yaml.Node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	n.Line, n.Column = 0, 0
	for _, c := range n.Content {
		clearLines(c, seen)
	}
}

func (r *reader) generated(secrets map[string]string) {
	for name, secret := range secrets {
		node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: secret}
		r.inv.generated[name] = NewValue(node, LevelGenerated, "generated")
	}
}
