package param

import (
	"reflect"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
)

// Param describes one parameter.
type Param struct {
	Name    string `json:"name"`
	Module  string `json:"module"`
	Section string `json:"section"`
	// Type is bool, int, float, string, a kind of string such as path, enum, dict, or the type
	// of an object or list: user[], string[].
	Type string `json:"type"`
	// Default is in YAML's one-line form; "" for none or an empty string.
	Default string   `json:"default,omitempty"`
	Level   string   `json:"level"`
	Values  []string `json:"values,omitempty"`
	Secret  bool     `json:"secret,omitempty"`
	// Generated says that a secret is made when the inventory gives none.
	Generated bool   `json:"generated,omitempty"`
	Help      string `json:"help"`
	// Source names the struct that the parameter is a field of; "" while its module has none.
	Source string `json:"source,omitempty"`

	field *field
	alone string
}

// Typed tells whether the parameter's values are checked.
func (p Param) Typed() bool { return p.field != nil }

// Catalogue lists every parameter: the typed ones in the order of their structs, then the rest.
func Catalogue() []Param { return slices.Clone(catalogue()) }

var catalogue = sync.OnceValue(func() []Param {
	var out []Param
	for _, m := range modules {
		t := reflect.TypeOf(m)
		for _, f := range fields(t) {
			out = append(out, f.param(t))
		}
	}
	for _, s := range untyped {
		for _, e := range s.params {
			p := Param{
				Name: e[0], Module: s.module, Section: s.section,
				Type: e[1], Level: e[2], Default: e[3], Help: e[4], alone: aloneUntyped[e[0]],
			}
			if p.Type == "secret" || p.Type == "generate" {
				p.Secret, p.Generated, p.Type = true, p.Type == "generate", "string"
			}
			out = append(out, p)
		}
	}
	return out
})

func (f field) param(owner reflect.Type) Param {
	return Param{
		Name: f.name, Module: f.module, Section: f.section,
		Type: typeName(f), Default: inline(f.def), Level: f.level, Values: f.oneof,
		Secret: f.secret != "", Generated: f.secret == "generate",
		Help: f.help, Source: owner.Name() + "." + owner.FieldByIndex(f.index).Name,
		field: &f, alone: f.alone,
	}
}

// typeName names a field's type as the documentation does.
func typeName(f field) string {
	t, suffix := f.typ, ""
	for t.Kind() == reflect.Slice {
		t, suffix = t.Elem(), suffix+"[]"
	}
	switch {
	case t.Kind() == reflect.Map:
		return "dict" + suffix
	case t.Kind() == reflect.Struct:
		return strings.ToLower(t.Name()) + suffix
	case len(f.oneof) > 0:
		return "enum" + suffix
	case f.kind != "":
		return f.kind + suffix
	case t.Kind() == reflect.Float64:
		return "float" + suffix
	}
	return t.Kind().String() + suffix
}

// inline prints a default in YAML's flow style on one line.
func inline(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	var parts []string
	for i := 0; i < len(n.Content); i++ {
		if n.Kind == yaml.MappingNode {
			parts = append(parts, n.Content[i].Value+": "+inlineItem(n.Content[i+1]))
			i++
		} else {
			parts = append(parts, inlineItem(n.Content[i]))
		}
	}
	if n.Kind == yaml.MappingNode {
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// inlineItem quotes what would end early inside brackets.
func inlineItem(n *yaml.Node) string {
	s := inline(n)
	if n.Kind == yaml.ScalarNode && (s == "" || strings.ContainsAny(s, ",[]{}#'\"`*&!|>%@:")) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return s
}

var byName = sync.OnceValue(func() map[string]Param {
	out := map[string]Param{}
	for _, p := range catalogue() {
		out[p.Name] = p
	}
	return out
})

// Lookup finds a parameter by name; names of v1.4 find their present one.
func Lookup(name string) (Param, bool) {
	if r, ok := renamed(name); ok {
		name = r.to
	}
	p, ok := byName()[name]
	return p, ok
}

// Search lists the parameters whose name, section, module or description contains every word of
// a term, in the catalogue's order; all of them for an empty term.
func Search(term string) []Param {
	words := strings.Fields(strings.ToLower(term))
	var out []Param
	for _, p := range catalogue() {
		text := strings.ToLower(strings.Join([]string{p.Name, p.Module, p.Section, p.Help}, " "))
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
			out = append(out, p)
		}
	}
	return out
}

// Secrets names the parameters that are generated when the inventory does not give them.
func Secrets() []string {
	var out []string
	for _, p := range catalogue() {
		if p.Generated {
			out = append(out, p.Name)
		}
	}
	return out
}

// IsSecret tells whether a variable's value must not be shown, known parameter or not.
func IsSecret(name string) bool {
	if p, ok := Lookup(name); ok && p.Secret {
		return true
	}
	return diag.SecretKey(name)
}
