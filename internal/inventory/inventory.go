// Package inventory reads who there is to manage: hosts, groups, and the variables set for them,
// merged as Ansible merges them and each with the place it came from. It does not know what any
// variable means.
package inventory

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
)

// Level is how strong a setting is: a higher level replaces a lower one.
type Level int

// The levels, weakest first. No Value in an inventory is at LevelDefault: it stands for a value
// that the inventory does not give.
const (
	LevelDefault Level = iota
	LevelGenerated
	LevelAll
	LevelGroup
	LevelHost
	LevelExtra
)

// String names the level as it is shown to people.
func (l Level) String() string {
	names := [...]string{"default", "generated", "all", "group", "host", "extra"}
	if l < 0 || int(l) >= len(names) {
		return fmt.Sprintf("level %d", int(l))
	}
	return names[l]
}

// MarshalText makes levels words in JSON.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Value is one setting of a variable. Node has aliases resolved and merge keys expanded; Pos is
// where the variable's name stands and Node.Line and Node.Column where its value does, in the
// same file. From names the setter: "all", "group pg-test", "host 10.10.10.11", "-e",
// "generated".
type Value struct {
	Node  *yaml.Node
	Pos   diag.Pos
	Level Level
	From  string
	text  *text
}

// NewValue makes a value that stands in no file, such as a default.
func NewValue(node *yaml.Node, level Level, from string) Value {
	return Value{Node: node, Level: level, From: from}
}

// NodePos is the place of a node inside this value; a node without one, as a default has, is
// placed at the variable's name.
func (v Value) NodePos(n *yaml.Node) diag.Pos {
	if n == nil || n.Line == 0 {
		return v.Pos
	}
	return diag.Pos{File: v.Pos.File, Line: n.Line, Column: n.Column}
}

// Explain completes a problem with the source line at its position, secrets masked.
func (v Value) Explain(d *diag.Diagnostic) { v.text.explain(d) }

// Vars maps a variable's name to its setting.
type Vars map[string]Value

// Names lists the variables in alphabetical order.
func (v Vars) Names() []string { return slices.Sorted(maps.Keys(v)) }

// Options are the settings that come from outside the file.
type Options struct {
	// Extra are name=value settings of the command line, each value YAML; the last one of a
	// name counts.
	Extra []string
	// Generated are secrets made earlier, weaker than anything the file says.
	Generated map[string]string
}

// Group is a named set of hosts with variables.
type Group struct {
	Name string
	Pos  diag.Pos
	// Priority is ansible_group_priority, 1 unless given: among groups of the same depth the
	// highest wins, then the last in alphabetical order.
	Priority int
	// Hosts are the group's members in file order, those of its child groups included.
	Hosts []string
	// Children are the groups directly below this one, in file order.
	Children []string
	// Vars are what this group itself sets.
	Vars Vars

	own      []string
	hostVars map[string]Vars
	parents  []string
	depth    int
}

// OwnHosts are the members that the group itself lists, in file order.
func (g *Group) OwnHosts() []string { return slices.Clone(g.own) }

// Inventory is one loaded document. It is safe for concurrent reading.
type Inventory struct {
	text      *text
	hosts     []string
	hostPos   map[string]diag.Pos
	hostVars  map[string]Vars // of hosts listed directly under all
	groups    []*Group
	byName    map[string]*Group
	merging   []*Group            // weakest first
	memberOf  map[string][]*Group // of each host, weakest first
	all       Vars
	extra     Vars
	generated Vars
}

// Load reads an inventory file. Problems come back as diagnostics, an unreadable file too; the
// inventory is never nil and holds all that could be understood.
func Load(path string, o Options) (*Inventory, diag.List) {
	data, err := os.ReadFile(path)
	if err != nil {
		var l diag.List
		l.Errorf(diag.Pos{File: path}, "read inventory: %s", plainPathError(err)).Hint = "give its path with -i"
		return empty(path, nil), l
	}
	return Parse(path, data, o)
}

// Parse reads an inventory from memory; file is the name that positions carry.
func Parse(file string, data []byte, o Options) (*Inventory, diag.List) {
	inv := empty(file, data)
	r := reader{inv: inv}
	if root := r.document(data); root != nil {
		r.root(root)
	}
	r.extra(o.Extra)
	r.generated(o.Generated)
	r.link()
	for i := range r.problems {
		if d := &r.problems[i]; d.Source == "" && d.Pos.File == file {
			inv.text.explain(d)
		}
	}
	r.problems.Sort()
	return inv, r.problems
}

func empty(file string, data []byte) *Inventory {
	return &Inventory{
		text:      newText(file, data),
		hostPos:   map[string]diag.Pos{},
		hostVars:  map[string]Vars{},
		byName:    map[string]*Group{},
		memberOf:  map[string][]*Group{},
		all:       Vars{},
		extra:     Vars{},
		generated: Vars{},
	}
}

// File is the name given to Load or Parse.
func (inv *Inventory) File() string { return inv.text.file }

// Explain completes problems that lie in this inventory's file with their source lines.
func (inv *Inventory) Explain(l diag.List) {
	for i := range l {
		if l[i].Source == "" && l[i].Pos.File == inv.text.file {
			inv.text.explain(&l[i])
		}
	}
}

// Hosts are all hosts in file order, each once.
func (inv *Inventory) Hosts() []string { return slices.Clone(inv.hosts) }

// HostPos is where a host is first named; the zero Pos for an unknown host.
func (inv *Inventory) HostPos(host string) diag.Pos { return inv.hostPos[host] }

// Groups are all groups in file order, without the implied group all.
func (inv *Inventory) Groups() []*Group { return slices.Clone(inv.groups) }

// Group finds a group by name, nil when there is none.
func (inv *Inventory) Group(name string) *Group { return inv.byName[name] }

// GroupsOf lists the groups of a host, weakest first: the order in which their variables merge.
func (inv *Inventory) GroupsOf(host string) []string {
	var names []string
	for _, g := range inv.memberOf[host] {
		names = append(names, g.Name)
	}
	return names
}

// Vars merges what holds for one host. A stronger setting replaces a weaker one whole; mappings
// and lists are never mixed. An unknown host has the global variables.
func (inv *Inventory) Vars(host string) Vars {
	out := Vars{}
	maps.Copy(out, inv.generated)
	maps.Copy(out, inv.all)
	for _, g := range inv.memberOf[host] {
		maps.Copy(out, g.Vars)
	}
	maps.Copy(out, inv.hostVars[host])
	for _, g := range inv.memberOf[host] {
		maps.Copy(out, g.hostVars[host])
	}
	maps.Copy(out, inv.extra)
	return out
}

// Global merges what holds for every host: generated secrets, all.vars and -e.
func (inv *Inventory) Global() Vars {
	out := Vars{}
	maps.Copy(out, inv.generated)
	maps.Copy(out, inv.all)
	maps.Copy(out, inv.extra)
	return out
}

// GroupVars merges what holds for every member of a group because it is one, its parent groups
// included; the global variables for an unknown group.
func (inv *Inventory) GroupVars(name string) Vars {
	out := Vars{}
	maps.Copy(out, inv.generated)
	maps.Copy(out, inv.all)
	above := inv.ancestors(name)
	for _, g := range inv.merging {
		if g.Name == name || above[g.Name] {
			maps.Copy(out, g.Vars)
		}
	}
	maps.Copy(out, inv.extra)
	return out
}

func (inv *Inventory) ancestors(name string) map[string]bool {
	seen := map[string]bool{}
	var climb func(string)
	climb = func(name string) {
		g := inv.byName[name]
		if g == nil {
			return
		}
		for _, p := range g.parents {
			if !seen[p] {
				seen[p] = true
				climb(p)
			}
		}
	}
	climb(name)
	return seen
}

// Scope is one place where the inventory sets variables. Vars may be changed in place: that is
// how old names are brought up to date.
type Scope struct {
	Level Level
	Group string // of a group, and of a host's variables under a group
	Host  string // of a host's variables
	Vars  Vars
}

// Scopes lists every place that sets variables: all, the groups and their hosts in file order,
// -e and generated secrets.
func (inv *Inventory) Scopes() []Scope {
	out := []Scope{{Level: LevelAll, Vars: inv.all}}
	for _, h := range inv.hosts {
		if v, ok := inv.hostVars[h]; ok {
			out = append(out, Scope{Level: LevelHost, Host: h, Vars: v})
		}
	}
	for _, g := range inv.groups {
		out = append(out, Scope{Level: LevelGroup, Group: g.Name, Vars: g.Vars})
		for _, h := range g.own {
			out = append(out, Scope{Level: LevelHost, Group: g.Name, Host: h, Vars: g.hostVars[h]})
		}
	}
	return append(out, Scope{Level: LevelExtra, Vars: inv.extra}, Scope{Level: LevelGenerated, Vars: inv.generated})
}
