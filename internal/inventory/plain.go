package inventory

import (
	"fmt"
	"math"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Plain gives the value as Ansible hands it to a template or prints it as JSON: nil, bool, int,
// float64, string, []any or map[string]any. Unquoted yes, no, on and off are booleans, as in
// YAML 1.1; dates stay text.
func (v Value) Plain() any { return plain(v.Node) }

func plain(n *yaml.Node) any {
	switch {
	case n == nil || isNull(n):
		return nil
	case n.Kind == yaml.MappingNode:
		out := make(map[string]any, len(n.Content)/2)
		for k, v := range pairs(n) {
			out[k.Value] = plain(v)
		}
		return out
	case n.Kind == yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, c := range n.Content {
			out[i] = plain(c)
		}
		return out
	}
	return plainScalar(n)
}

func plainScalar(n *yaml.Node) any {
	if b, ok := Bool(n.Value); ok && n.Style == 0 && n.ShortTag() != "!!binary" {
		return b
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		var number any
		if n.Decode(&number) == nil {
			return finite(number)
		}
	}
	return n.Value
}

// finite keeps what JSON cannot hold as text.
func finite(number any) any {
	switch x := number.(type) {
	case float64:
		if math.IsInf(x, 0) || math.IsNaN(x) {
			return fmt.Sprint(x)
		}
	case int, uint64:
	default:
		return fmt.Sprint(x)
	}
	return number
}

// Bool reads a truth value as YAML 1.1 writes it: true, yes, on and their opposites, in lower,
// upper or title case. ok is false for anything else.
func Bool(word string) (value, ok bool) {
	lower := strings.ToLower(word)
	if word != lower && word != strings.ToUpper(word) && word[1:] != lower[1:] {
		return false, false
	}
	switch lower {
	case "true", "yes", "on":
		return true, true
	case "false", "no", "off":
		return false, true
	}
	return false, false
}
