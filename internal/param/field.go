// Package param knows every parameter of an inventory: its type, default, the level it belongs
// to, the values it may take, whether it is a secret, and what it does.
//
// There is one source of truth: the struct of each section, one section a file. A parameter's
// name is its field's, word by word: NodeDnsServers is node_dns_servers. The tags of a field are
//
//	default   its default, in YAML; long ones stand in defaults.yml
//	level     the widest level it is meant for: global, cluster, instance or argument
//	oneof     the values it may take
//	kind      what its text must look like, see kinds
//	words     words that are accepted besides
//	min, max  bounds of a number
//	secret    "true" hides its value; "generate" also makes one when the inventory gives none
//	alone     "host" or "instance": it names one thing and cannot be set for many
//	single    "true": one value stands for a list of it
//	help      what it does, in one line
//
// Everything else, the checks, the documentation, the JSON schema, is derived from these.
package param

import (
	_ "embed"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"go.yaml.in/yaml/v4"
)

//go:embed defaults.yml
var longDefaults []byte

// modules are the typed parts of the catalogue, in the order of the documentation.
var modules = []any{Connect{}, Ca{}, Infra{}, Dcs{}, Node{}, Pgsql{}}

// field is a parameter, or a field of an object, as its struct describes it.
type field struct {
	name            string
	index           []int
	typ             reflect.Type
	module, section string
	kind            string
	oneof, words    []string
	min, max        *float64
	secret          string
	level, alone    string
	required        bool
	single          bool
	help            string
	def             *yaml.Node // nil when there is no default
}

// fields lists the fields of a struct type, those of embedded sections included. A mistake in a
// tag panics: the catalogue is part of the program.
var fields = func() func(reflect.Type) []field {
	var known sync.Map
	return func(t reflect.Type) []field {
		if fs, ok := known.Load(t); ok {
			return fs.([]field)
		}
		fs := readFields(t, defaultNodes())
		known.Store(t, fs)
		return fs
	}
}()

// defaultNodes are the defaults of defaults.yml by parameter.
var defaultNodes = sync.OnceValue(func() map[string]*yaml.Node {
	var doc map[string]yaml.Node
	if err := yaml.Unmarshal(longDefaults, &doc); err != nil {
		panic(fmt.Sprintf("defaults.yml: %v", err))
	}
	nodes := map[string]*yaml.Node{}
	for name, n := range doc {
		nodes[name] = placeless(&n)
	}
	return nodes
})

// placeless forgets where a default stands: to the user it stands nowhere.
func placeless(n *yaml.Node) *yaml.Node {
	n.Line, n.Column = 0, 0
	for _, c := range n.Content {
		placeless(c)
	}
	return n
}

func readFields(t reflect.Type, long map[string]*yaml.Node) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.Anonymous {
			out = append(out, readField(sf, long))
			continue
		}
		for _, f := range readFields(sf.Type, long) {
			f.index = append([]int{i}, f.index...)
			if section, ok := sf.Tag.Lookup("section"); ok {
				f.section, f.module = section, sf.Tag.Get("module")
			}
			out = append(out, f)
		}
	}
	return out
}

func readField(sf reflect.StructField, long map[string]*yaml.Node) field {
	tag := sf.Tag
	f := field{
		name: snake(sf.Name), index: sf.Index, typ: sf.Type,
		kind: tag.Get("kind"), secret: tag.Get("secret"), help: tag.Get("help"),
		oneof: strings.Fields(tag.Get("oneof")), words: strings.Fields(tag.Get("words")),
		level: tag.Get("level"), alone: tag.Get("alone"), required: tag.Get("required") == "true",
		single: tag.Get("single") == "true",
		min:    bound(tag, "min"), max: bound(tag, "max"),
	}
	if _, known := kinds[f.kind]; f.kind != "" && !known {
		panic(fmt.Sprintf("%s: unknown kind %q", f.name, f.kind))
	}
	if text, ok := tag.Lookup("default"); ok {
		f.def = parseDefault(f, text)
	} else if f.level != "" {
		f.def = long[f.name]
	}
	return f
}

func bound(tag reflect.StructTag, key string) *float64 {
	text, ok := tag.Lookup(key)
	if !ok {
		return nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(fmt.Sprintf("bound %s: %v", key, err))
	}
	return &x
}

func parseDefault(f field, text string) *yaml.Node {
	if f.typ.Kind() == reflect.String && !strings.HasPrefix(text, "'") {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) != 1 {
		panic(fmt.Sprintf("%s: default %q is not YAML", f.name, text))
	}
	return placeless(doc.Content[0])
}

// snake gives the parameter's name of a field: every word of NodeDnsServers starts with a
// capital.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
