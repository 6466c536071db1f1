package param

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
	"pigsty/internal/inventory"
)

// Decode reads the parameters of T, a struct of sections such as [Node] or [Pgsql], from merged
// variables. What the variables leave out or set to null has its default, and so has what is
// wrong: every such problem is reported with its position and who set it. A generated secret
// that nobody gave is "".
func Decode[T any](vars inventory.Vars) (T, diag.List) {
	var out T
	var problems diag.List
	target := reflect.ValueOf(&out).Elem()
	for _, f := range fields(target.Type()) {
		into := target.FieldByIndex(f.index)
		if f.def != nil {
			d := decoder{name: f.name, value: inventory.NewValue(f.def, inventory.LevelDefault, "default")}
			d.node(f.def, into, f, f.name)
			problems.Add(d.problems...)
		}
		if v, ok := vars[f.name]; ok && !isNull(v.Node) {
			d := decoder{name: f.name, value: v}
			fresh := reflect.New(f.typ).Elem()
			d.node(v.Node, fresh, f, f.name)
			if !d.problems.HasErrors() {
				into.Set(fresh)
			}
			problems.Add(d.problems...)
		}
	}
	problems.Sort()
	return out, problems
}

// decoder reads one variable's value.
type decoder struct {
	name     string
	value    inventory.Value
	problems diag.List
}

// want reports that a node is not what its field takes.
func (d *decoder) want(n *yaml.Node, f field, path, what string) {
	summary := fmt.Sprintf("%s: want %s", path, what)
	if shown := describe(n); f.secret == "" && shown != "" {
		summary += ", not " + shown
	}
	d.error(n, summary)
}

// error adds an error at a node, naming who set the variable.
func (d *decoder) error(n *yaml.Node, summary string) *diag.Diagnostic {
	if d.value.From != "" && d.value.From != "-e" {
		summary += " (set for " + d.value.From + ")"
	}
	problem := d.problems.Errorf(d.value.NodePos(n), "%s", summary)
	d.value.Explain(problem)
	return problem
}

// describe shows a value in a message, shortened.
func describe(n *yaml.Node) string {
	const most = 60
	switch {
	case isNull(n):
		return "nothing"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	shown, _ := diag.Mask([]string{n.Value}, 1, 0)
	if r := []rune(shown); len(r) > most {
		shown = string(r[:most]) + "…"
	}
	return strconv.Quote(shown)
}

func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// node reads a node into a field's value; path names it in messages.
func (d *decoder) node(n *yaml.Node, into reflect.Value, f field, path string) {
	switch into.Kind() {
	case reflect.Slice:
		d.list(n, into, f, path)
	case reflect.Map:
		d.mapping(n, into, f, path)
	case reflect.Struct:
		d.object(n, into, path)
	case reflect.Interface:
		if plain := (inventory.Value{Node: n}).Plain(); plain != nil {
			into.Set(reflect.ValueOf(plain))
		}
	default:
		if n.Kind != yaml.ScalarNode || isNull(n) {
			d.want(n, f, path, wantScalar(f, into.Kind()))
			return
		}
		d.scalar(n, into, f, path)
	}
}

func (d *decoder) list(n *yaml.Node, into reflect.Value, f field, path string) {
	if isNull(n) {
		return
	}
	if n.Kind == yaml.ScalarNode && f.single {
		n = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{n}}
	}
	if n.Kind != yaml.SequenceNode {
		d.want(n, f, path, "a list")
		return
	}
	out := reflect.MakeSlice(into.Type(), len(n.Content), len(n.Content))
	for i, c := range n.Content {
		d.node(c, out.Index(i), f, fmt.Sprintf("%s[%d]", path, i))
	}
	into.Set(out)
}

func (d *decoder) mapping(n *yaml.Node, into reflect.Value, f field, path string) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.want(n, f, path, "a mapping of names to values")
		return
	}
	out := reflect.MakeMapWithSize(into.Type(), len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], reflect.New(into.Type().Elem()).Elem()
		if v := n.Content[i+1]; !isNull(v) {
			d.node(v, item, f, path+"."+key.Value)
		}
		out.SetMapIndex(reflect.ValueOf(key.Value), item)
	}
	into.Set(out)
}

// object reads a struct: its defaults, then the fields given. Where a name alone makes sense, a
// single value is the name.
func (d *decoder) object(n *yaml.Node, into reflect.Value, path string) {
	fs := fields(into.Type())
	for _, f := range fs {
		if f.def != nil {
			d.node(f.def, into.FieldByIndex(f.index), f, path+"."+f.name)
		}
	}
	if n.Kind == yaml.ScalarNode && !isNull(n) && named(into.Type()) {
		into.FieldByName("Name").SetString(n.Value)
		return
	}
	if n.Kind != yaml.MappingNode {
		d.want(n, field{}, path, "a mapping with "+someNames(fs))
		return
	}
	given := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		at := slices.IndexFunc(fs, func(f field) bool { return f.name == key.Value })
		if at < 0 {
			d.unknown(key, fs, path)
			continue
		}
		given[key.Value] = !isNull(v)
		if !isNull(v) {
			d.node(v, into.FieldByIndex(fs[at].index), fs[at], path+"."+key.Value)
		}
	}
	for _, f := range fs {
		if f.required && !given[f.name] {
			d.error(n, fmt.Sprintf("%s: %s is missing", path, f.name))
		}
	}
}

// named tells whether the name alone can stand for an object of the type.
func named(t reflect.Type) bool {
	return t == reflect.TypeFor[Extension]() || t == reflect.TypeFor[Membership]()
}

func (d *decoder) unknown(key *yaml.Node, fs []field, path string) {
	var names []string
	for _, f := range fs {
		names = append(names, f.name)
	}
	problem := d.error(key, fmt.Sprintf("%s: unknown field %q", path, key.Value))
	if near := diag.Nearest(key.Value, names); near != "" {
		problem.Hint = "did you mean " + near + "?"
	} else {
		problem.Hint = "the fields are " + strings.Join(names, ", ")
	}
}

func someNames(fs []field) string {
	var names []string
	for _, f := range fs {
		if f.required {
			names = append(names, f.name)
		}
	}
	if len(names) == 0 {
		names = append(names, fs[0].name)
	}
	return strings.Join(names, " and ")
}
