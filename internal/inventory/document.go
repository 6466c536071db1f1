package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
)

// The limits keep a hostile or broken document from taking all memory or stack.
const (
	maxSyntaxErrors = 20
	maxNodes        = 2_000_000 // after every alias is followed
)

// document parses YAML into a tree without aliases and merge keys; nil when there is nothing
// to go on with. A document with syntax errors gives no tree: what surrounds an error cannot be
// trusted.
func (r *reader) document(data []byte) *yaml.Node {
	root, failure := parse(data)
	if failure != nil {
		r.syntax(data, failure)
		return nil
	}
	if root == nil {
		r.problems.Errorf(diag.Pos{File: r.inv.text.file}, "there is nothing in it").Hint = "start it with `all:`"
		return nil
	}
	f := flattener{reader: r, done: map[*yaml.Node]*yaml.Node{}, size: map[*yaml.Node]int{}}
	flat := f.node(root)
	if f.failed {
		return nil
	}
	if f.size[root] > maxNodes {
		r.problems.Errorf(r.pos(root), "the aliases of this file expand to more than %d values", maxNodes)
		return nil
	}
	return flat
}

// parse reads the only document of a stream; a nil node for an empty one.
func parse(data []byte) (*yaml.Node, *yaml.LoadError) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, loadError(err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	if err := dec.Decode(&second); err != io.EOF {
		if err != nil {
			return nil, loadError(err)
		}
		mark := yaml.Mark{Line: second.Line, Column: second.Column}
		return nil, &yaml.LoadError{Message: "a second document starts here; keep all in one", Mark: mark}
	}
	return doc.Content[0], nil
}

// loadError gives the positioned error in what the YAML package returned; nil for the end of
// an empty stream.
func loadError(err error) *yaml.LoadError {
	if err == io.EOF {
		return nil
	}
	if le, ok := errors.AsType[*yaml.LoadError](err); ok {
		return le
	}
	return &yaml.LoadError{Message: strings.TrimPrefix(err.Error(), "yaml: ")}
}

// syntax reports a syntax error, then blanks the block it is in and tries again, so that one run
// shows every independent error.
func (r *reader) syntax(data []byte, failure *yaml.LoadError) {
	lines := bytes.Split(data, []byte("\n"))
	last := 0
	for range maxSyntaxErrors {
		pos := r.failurePos(failure)
		if pos.Line > last || last == 0 {
			r.syntaxError(pos, failure)
		}
		if pos.Line < 1 || pos.Line > len(lines) {
			return
		}
		last = blank(lines, pos.Line)
		if _, failure = parse(bytes.Join(lines, []byte("\n"))); failure == nil {
			return
		}
	}
}

// failurePos is where the broken construct begins, which is where it can be mended; the parser
// often notices only at the end of the file.
func (r *reader) failurePos(e *yaml.LoadError) diag.Pos {
	m := e.Mark
	if c := e.ContextMark; c.Line > 0 && c.Line < m.Line {
		m = c
	}
	return diag.Pos{File: r.inv.text.file, Line: m.Line, Column: m.Column}
}

func (r *reader) syntaxError(pos diag.Pos, e *yaml.LoadError) {
	message := strings.TrimSpace(e.Message + " " + e.ContextMsg)
	if strings.HasPrefix(message, "unknown anchor") {
		message = "a value that begins with * stands for an anchor, and there is none of that name" // nor is it shown: it may be a password
	}
	d := r.problems.Errorf(pos, "not valid YAML: %s", message)
	line := r.inv.text.line(pos.Line)
	if strings.Contains(line[:len(line)-len(strings.TrimLeft(line, " \t"))], "\t") {
		d.Hint = "indent with spaces, not tabs"
	}
}

// blank empties the block that begins on a line: the line and every deeper one below it. It
// gives the last line emptied.
func blank(lines [][]byte, line int) int {
	first := line - 1
	depth := blanks(lines[first])
	end := first + 1
	for end < len(lines) && (len(bytes.TrimSpace(lines[end])) == 0 || blanks(lines[end]) > depth) {
		end++
	}
	for i := first; i < end; i++ {
		lines[i] = nil
	}
	return end
}

func blanks(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " \t")) }

// flattener copies a tree, following aliases and expanding merge keys.
type flattener struct {
	reader *reader
	done   map[*yaml.Node]*yaml.Node // nil while being copied
	size   map[*yaml.Node]int
	failed bool
}

func (f *flattener) fail(n *yaml.Node, format string, args ...any) {
	f.failed = true
	f.reader.problems.Errorf(f.reader.pos(n), format, args...)
}

// node copies one node; what two aliases share stays shared.
func (f *flattener) node(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		out := f.node(n.Alias)
		f.size[n] = f.size[n.Alias]
		return out
	}
	if out, seen := f.done[n]; seen {
		if out == nil {
			f.fail(n, "the value of anchor &%s contains itself", n.Anchor)
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line, Column: n.Column}
		}
		return out
	}
	f.done[n] = nil
	f.tag(n)
	out := &yaml.Node{Kind: n.Kind, Style: n.Style, Tag: n.Tag, Value: n.Value, Line: n.Line, Column: n.Column}
	f.size[n] = 1
	if n.Kind == yaml.MappingNode {
		f.mapping(n, out)
	} else {
		for _, c := range n.Content {
			out.Content = append(out.Content, f.node(c))
			f.grow(n, c)
		}
	}
	f.done[n] = out
	return out
}

// tag refuses tags that nothing here understands: the value behind one would be lost.
func (f *flattener) tag(n *yaml.Node) {
	tag := n.ShortTag()
	if n.Style&yaml.TaggedStyle == 0 || strings.HasPrefix(tag, "!!") || tag == "!" || tag == "!unsafe" {
		return
	}
	if tag == "!vault" {
		f.reader.problems.Errorf(f.reader.pos(n), "values encrypted by Ansible Vault cannot be read").Hint = "decrypt it, or leave a password out to have one generated"
		return
	}
	f.reader.problems.Errorf(f.reader.pos(n), "a value cannot begin with '!'").Hint = "put it in quotes"
}

func (f *flattener) grow(n, child *yaml.Node) {
	f.size[n] = min(f.size[n]+f.size[child], maxNodes+1)
}

// mapping copies a mapping. Keys given twice are errors; keys from merges give way to the
// mapping's own, and an earlier merge wins over a later one.
func (f *flattener) mapping(n, out *yaml.Node) {
	own := map[string]*yaml.Node{}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.ShortTag() == "!!merge" {
			merges = append(merges, v)
			continue
		}
		key := f.node(k)
		if key.Kind != yaml.ScalarNode {
			f.fail(k, "a key cannot be %s", kindName(key))
			continue
		}
		if first := own[key.Value]; first != nil {
			f.reader.problems.Errorf(f.reader.pos(k), "%q is given twice", key.Value).Hint = fmt.Sprintf("first on line %d; keep one", first.Line)
			continue
		}
		own[key.Value] = k
		out.Content = append(out.Content, key, f.node(v))
		f.grow(n, v)
	}
	for _, m := range merges {
		f.merge(n, out, m, own)
	}
}

func (f *flattener) merge(n, out, source *yaml.Node, own map[string]*yaml.Node) {
	flat := f.node(source)
	f.grow(n, source)
	sources := []*yaml.Node{flat}
	if flat.Kind == yaml.SequenceNode {
		sources = flat.Content
	}
	for _, s := range sources {
		if s.Kind != yaml.MappingNode {
			f.fail(source, "<< wants a mapping or a list of mappings")
			continue
		}
		for k, v := range pairs(s) {
			if own[k.Value] == nil {
				own[k.Value] = k
				out.Content = append(out.Content, k, v)
			}
		}
	}
}

// pairs walks the keys and values of a mapping.
func pairs(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(k, v *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// kindName names what a node is, with its article.
func kindName(n *yaml.Node) string {
	switch {
	case isNull(n):
		return "empty"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}
