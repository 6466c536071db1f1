package param

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/inventory"
)

// scalar reads a single value and holds it against the field's tags.
func (d *decoder) scalar(n *yaml.Node, into reflect.Value, f field, path string) {
	switch into.Kind() {
	case reflect.Bool:
		b, ok := inventory.Bool(n.Value)
		if !ok {
			d.want(n, f, path, wantScalar(f, reflect.Bool))
			return
		}
		into.SetBool(b)
	case reflect.Int:
		i, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 10, 64)
		if err != nil || !f.within(float64(i)) {
			d.want(n, f, path, wantScalar(f, reflect.Int))
			return
		}
		into.SetInt(i)
	case reflect.Float64:
		x, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || !f.within(x) {
			d.want(n, f, path, wantScalar(f, reflect.Float64))
			return
		}
		into.SetFloat(x)
	default:
		d.text(n, into, f, path)
	}
}

// within tells whether a number is inside the field's bounds. The default stands outside them
// where it means "not given", so it is not asked about.
func (f field) within(x float64) bool {
	if f.def != nil && strconv.FormatFloat(x, 'f', -1, 64) == f.def.Value {
		return true
	}
	if f.kind == "port" && (x < 1 || x > 65535) {
		return false
	}
	return (f.min == nil || x >= *f.min) && (f.max == nil || x <= *f.max)
}

func (d *decoder) text(n *yaml.Node, into reflect.Value, f field, path string) {
	s := n.Value
	if len(f.oneof) > 0 {
		s = asWord(n, f.oneof)
		if !slices.Contains(f.oneof, s) && s != "" {
			d.want(n, f, path, wantScalar(f, reflect.String))
			return
		}
	}
	if f.kind == "jmespath" {
		s = quoteLiterals(s)
	}
	if f.kind != "" && s != "" && !slices.Contains(f.words, s) && !kinds[f.kind].ok(s) {
		d.want(n, f, path, wantScalar(f, reflect.String))
		return
	}
	into.SetString(s)
}

// asWord gives the text of a value that must be one of some words. A file that went through
// YAML 1.1 and back, as the configuration database does, has false where its author wrote off.
func asWord(n *yaml.Node, words []string) string {
	if n.ShortTag() != "!!bool" || slices.Contains(words, n.Value) {
		return n.Value
	}
	b, _ := inventory.Bool(n.Value)
	for _, w := range words {
		if is, ok := inventory.Bool(w); ok && is == b {
			return w
		}
	}
	return n.Value
}

// wantScalar says what a field takes.
func wantScalar(f field, k reflect.Kind) string {
	switch {
	case len(f.oneof) == 1:
		return f.oneof[0]
	case len(f.oneof) > 0:
		return "one of " + strings.Join(f.oneof, ", ")
	case len(f.words) > 0:
		return strings.Join(f.words, ", ") + " or " + kinds[f.kind].want
	case f.kind != "":
		return kinds[f.kind].want
	}
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number" + bounds(f)
	case reflect.Float64:
		return "a number" + bounds(f)
	}
	return "a single value"
}

func bounds(f field) string {
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	switch {
	case f.min != nil && f.max != nil:
		return ", " + number(*f.min) + " to " + number(*f.max)
	case f.min != nil:
		return ", " + number(*f.min) + " or more"
	case f.max != nil:
		return ", " + number(*f.max) + " or less"
	}
	return ""
}
