package collector

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
)

// Set is collectors by branch, in the order in which they were first defined.
type Set struct {
	order []string
	by    map[string]*Collector
}

// All gives the collectors in order.
func (s *Set) All() []*Collector {
	out := make([]*Collector, len(s.order))
	for i, branch := range s.order {
		out[i] = s.by[branch]
	}
	return out
}

// Get gives the collector of a branch, or nil.
func (s *Set) Get(branch string) *Collector { return s.by[branch] }

func (s *Set) put(c *Collector) {
	if s.by == nil {
		s.by = map[string]*Collector{}
	}
	if s.by[c.Branch] == nil {
		s.order = append(s.order, c.Branch)
	}
	s.by[c.Branch] = c
}

// reader reads one file. Branches that are in the set already were in an earlier source, and are
// replaced, or, by a definition without a query, changed; in is where those of this source were
// defined.
type reader struct {
	file     string
	builtin  bool
	set      *Set
	in       map[string]diag.Pos
	problems *diag.List
}

func (r *reader) pos(n *yaml.Node) diag.Pos {
	return diag.Pos{File: r.file, Line: n.Line, Column: n.Column}
}

func (r *reader) errorf(n *yaml.Node, format string, args ...any) *diag.Diagnostic {
	return r.problems.Errorf(r.pos(n), format, args...)
}

// read adds the collectors of a file to the set.
func (r *reader) read(data []byte) {
	root := r.document(data)
	if root == nil {
		return
	}
	for _, p := range r.pairs(root, "a file of collectors") {
		if first, twice := r.in[p.key.Value]; twice {
			r.errorf(p.key, "collector %q is defined twice; it is at %s as well", p.key.Value, first)
			continue
		}
		r.in[p.key.Value] = r.pos(p.key)
		if c := r.collector(p); c != nil {
			r.set.put(c)
		}
	}
}

// fields are what a collector may say, and how each is read.
var fields = map[string]func(*reader, *Collector, *yaml.Node){
	"name":              func(r *reader, c *Collector, n *yaml.Node) { c.Name = r.text(n) },
	"desc":              func(r *reader, c *Collector, n *yaml.Node) { c.Desc = r.text(n) },
	"query":             func(r *reader, c *Collector, n *yaml.Node) { c.Query = strings.TrimSpace(r.text(n)) },
	"predicate_queries": (*reader).predicates,
	"tags":              (*reader).tags,
	"ttl":               func(r *reader, c *Collector, n *yaml.Node) { c.TTL = max(0, r.seconds(n)) },
	"timeout":           (*reader).timeout,
	"min_version":       func(r *reader, c *Collector, n *yaml.Node) { c.MinVersion = r.count(n) },
	"max_version":       func(r *reader, c *Collector, n *yaml.Node) { c.MaxVersion = r.count(n) },
	"fatal":             func(r *reader, c *Collector, n *yaml.Node) { c.Fatal = r.truth(n) },
	"skip":              func(r *reader, c *Collector, n *yaml.Node) { c.Skip = r.truth(n) },
	"metrics":           (*reader).columns,
	"top":               (*reader).top,
	"budget":            func(r *reader, c *Collector, n *yaml.Node) { c.Budget = r.count(n) },
}

// collector reads one definition; nil when it is none.
func (r *reader) collector(p pair) *Collector {
	found := len(*r.problems)
	body := r.pairs(p.value, "a collector")
	if len(*r.problems) > found {
		return nil
	}
	c := r.begin(p, body)
	for _, field := range body {
		if read := fields[field.key.Value]; read != nil {
			read(r, c, field.value)
			continue
		}
		r.errorf(field.key, "a collector has no field %q", field.key.Value).Hint = nearest(field.key.Value, fieldNames())
	}
	r.check(c, p.key)
	return c
}

// begin gives what a definition builds on: nothing, or for one that has no query the collector of
// an earlier source.
func (r *reader) begin(p pair, body []pair) *Collector {
	has := func(name string) bool {
		return slices.ContainsFunc(body, func(f pair) bool { return f.key.Value == name })
	}
	if old := r.set.Get(p.key.Value); old != nil && !has("query") {
		c := *old
		return &c
	}
	return &Collector{Branch: p.key.Value, Name: p.key.Value, Timeout: DefaultTimeout, Builtin: r.builtin, Pos: r.pos(p.key)}
}

func fieldNames() []string {
	var out []string
	for name := range fields {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func nearest(word string, names []string) string {
	if like := diag.Nearest(word, names); like != "" {
		return "did you mean " + like + "?"
	}
	return "there are " + strings.Join(names, ", ")
}

func (r *reader) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		r.errorf(n, "this is a text")
		return ""
	}
	if n.ShortTag() == "!!null" {
		return ""
	}
	return n.Value
}

// truth reads a boolean; yes, no, on and off are understood as in older YAML.
func (r *reader) truth(n *yaml.Node) bool {
	switch strings.ToLower(n.Value) {
	case "true", "yes", "on":
		return true
	case "false", "no", "off", "", "null", "~":
		return false
	}
	r.errorf(n, "this is true or false, and not %q", n.Value)
	return false
}

func (r *reader) number(n *yaml.Node) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(n.Value), 64)
	if n.Kind != yaml.ScalarNode || err != nil || math.IsNaN(v) {
		r.errorf(n, "this is a number, and not %q", n.Value)
		return 0, false
	}
	return v, true
}

// count reads a whole number that is not negative. Versions are often written with a zero in
// front, which YAML would take for an octal number.
func (r *reader) count(n *yaml.Node) int {
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < 0 {
		r.errorf(n, "this is a whole number, and not %q", n.Value)
		return 0
	}
	return v
}

// longest is the longest time that a file may ask for.
const longest = 365 * 24 * time.Hour

func (r *reader) seconds(n *yaml.Node) time.Duration {
	v, ok := r.number(n)
	if !ok {
		return 0
	}
	if math.Abs(v) > longest.Seconds() {
		r.errorf(n, "%s seconds are more than a year", n.Value)
		return 0
	}
	return time.Duration(v * float64(time.Second))
}

func (r *reader) timeout(c *Collector, n *yaml.Node) {
	if c.Timeout = r.seconds(n); c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
}

func (r *reader) tags(c *Collector, n *yaml.Node) {
	c.Tags = nil
	for _, item := range r.items(n, "tags") {
		tag := strings.TrimSpace(r.text(item))
		prefix, word, has := strings.Cut(tag, ":")
		switch {
		case tag == "":
			r.errorf(item, "a tag is empty")
			continue
		case has && !slices.Contains(prefixes, prefix):
			r.errorf(item, "tag %q begins with %q", tag, prefix).Hint = nearest(prefix, prefixes)
			continue
		case has && word == "":
			r.errorf(item, "tag %q names nothing", tag)
			continue
		}
		c.Tags = append(c.Tags, tag)
	}
}

var prefixes = []string{"dbname", "extension", "not", "schema", "username"}

func (r *reader) predicates(c *Collector, n *yaml.Node) {
	c.Predicates = nil
	for _, item := range r.items(n, "predicate_queries") {
		var p Predicate
		for _, field := range r.pairs(item, "a predicate query") {
			switch field.key.Value {
			case "name":
				p.Name = r.text(field.value)
			case "predicate_query":
				p.Query = strings.TrimSpace(r.text(field.value))
			case "ttl":
				p.TTL = max(0, r.seconds(field.value))
			default:
				r.errorf(field.key, "a predicate query has no field %q", field.key.Value).Hint = nearest(field.key.Value, []string{"name", "predicate_query", "ttl"})
			}
		}
		if p.Query == "" {
			r.errorf(item, "a predicate query needs a predicate_query")
			continue
		}
		c.Predicates = append(c.Predicates, p)
	}
}

func (r *reader) top(c *Collector, n *yaml.Node) {
	if n.ShortTag() == "!!null" {
		c.Top = nil
		return
	}
	var top Top
	if c.Top != nil {
		top = *c.Top
	}
	for _, field := range r.pairs(n, "top") {
		switch field.key.Value {
		case "keep":
			top.Keep = r.count(field.value)
		case "by":
			top.By = nil
			for _, item := range r.items(field.value, "by") {
				top.By = append(top.By, r.text(item))
			}
		default:
			r.errorf(field.key, "top has no field %q", field.key.Value).Hint = nearest(field.key.Value, []string{"by", "keep"})
		}
	}
	if top.Keep < 1 {
		r.errorf(n, "top keeps at least one row").Hint = "say how many with keep"
		return
	}
	c.Top = &top
}
