package collector

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
)

// maxDepth of aliases: more is a file that means to exhaust its reader.
const maxDepth = 8

// pair is a key of a mapping and its value.
type pair struct{ key, value *yaml.Node }

// document reads the only document of a file; nil when it is empty or not YAML.
func (r *reader) document(data []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if err != io.EOF {
			r.syntax(err)
		}
		return nil
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		r.errorf(second.Content[0], "a second document starts here").Hint = "keep all collectors in one"
	case err != io.EOF:
		r.syntax(err)
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return doc.Content[0]
}

func (r *reader) syntax(err error) {
	pos, text := diag.Pos{File: r.file}, strings.TrimPrefix(err.Error(), "yaml: ")
	if failure, ok := errors.AsType[*yaml.LoadError](err); ok {
		mark := failure.Mark
		if c := failure.ContextMark; c.Line > 0 && c.Line < mark.Line {
			mark = c // where the broken construct begins, which is where it can be mended
		}
		pos.Line, pos.Column = mark.Line, mark.Column
		text = strings.TrimSpace(failure.Message + " " + failure.ContextMsg)
	}
	r.problems.Errorf(pos, "not valid YAML: %s", text)
}

// resolve follows aliases.
func resolve(n *yaml.Node) *yaml.Node {
	for range maxDepth {
		if n.Kind != yaml.AliasNode {
			break
		}
		n = n.Alias
	}
	return n
}

// pairs gives the keys of a mapping with their values; what it merges comes after its own.
// Anything else than a mapping is a problem.
func (r *reader) pairs(n *yaml.Node, what string) []pair {
	return r.merged(n, what, 0)
}

func (r *reader) merged(n *yaml.Node, what string, depth int) []pair {
	n = resolve(n)
	if n.Kind != yaml.MappingNode || depth > maxDepth {
		r.errorf(n, "%s is a mapping of names to values", what)
		return nil
	}
	var out, inherited []pair
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			inherited = append(inherited, r.merged(value, what, depth+1)...)
			continue
		}
		if line, twice := seen[key.Value]; twice {
			r.errorf(key, "%q is given twice; it is on line %d as well", key.Value, line)
			continue
		}
		seen[key.Value] = key.Line
		out = append(out, pair{key, resolve(value)})
	}
	for _, p := range inherited {
		if _, own := seen[p.key.Value]; !own {
			seen[p.key.Value] = p.key.Line
			out = append(out, p)
		}
	}
	return out
}

// items gives the elements of a list.
func (r *reader) items(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.errorf(n, "%s is a list", what)
		return nil
	}
	out := make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		out[i] = resolve(item)
	}
	return out
}
