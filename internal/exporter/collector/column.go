package collector

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

var usages = []Usage{Label, Counter, Gauge, Histogram, Discard}

// columns reads `metrics`: a list of mappings, each of one column's name to what becomes of it.
func (r *reader) columns(c *Collector, n *yaml.Node) {
	c.Columns = nil
	seen := map[string]bool{}
	for _, item := range r.items(n, "metrics") {
		pairs := r.pairs(item, "a column")
		if len(pairs) != 1 {
			if item.Kind == yaml.MappingNode {
				r.errorf(item, "each item of metrics is one column, and this has %d", len(pairs)).Hint = "indent what belongs to the column below its name"
			}
			continue
		}
		col := r.column(pairs[0])
		if seen[col.Name] {
			r.errorf(pairs[0].key, "column %q is described twice", col.Name)
			continue
		}
		seen[col.Name] = true
		c.Columns = append(c.Columns, col)
	}
}

func (r *reader) column(p pair) Column {
	col := Column{Name: p.key.Value}
	usageAt := p.key
	for _, field := range r.pairs(p.value, "a column") {
		switch field.key.Value {
		case "usage":
			col.Usage, usageAt = Usage(strings.ToUpper(r.text(field.value))), field.value
		case "description":
			col.Desc = strings.TrimSpace(r.text(field.value))
		case "rename":
			col.Rename = r.text(field.value)
		case "scale":
			col.Scale, _ = r.number(field.value)
		case "default":
			if v, ok := r.number(field.value); ok {
				col.Default = &v
			}
		case "bucket", "buckets":
			col.Buckets = r.buckets(field.value)
		default:
			r.errorf(field.key, "a column has no field %q", field.key.Value).Hint = nearest(field.key.Value, []string{"bucket", "default", "description", "rename", "scale", "usage"})
		}
	}
	r.checkColumn(col, p.key, usageAt)
	return col
}

func (r *reader) buckets(n *yaml.Node) []float64 {
	var out []float64
	for _, item := range r.items(n, "bucket") {
		v, ok := r.number(item)
		if ok && len(out) > 0 && v <= out[len(out)-1] {
			r.errorf(item, "the bounds of buckets ascend, and %s is not above %v", item.Value, out[len(out)-1])
		}
		out = append(out, v)
	}
	return out
}

func (r *reader) checkColumn(col Column, key, usageAt *yaml.Node) {
	switch {
	case col.Usage == "":
		r.errorf(key, "column %q needs a usage", col.Name).Hint = usageWords()
		return
	case !slices.Contains(usages, col.Usage):
		r.errorf(usageAt, "there is no usage %q", col.Usage).Hint = usageWords()
		return
	case !ValidName(col.Alias()) && col.Usage != Discard:
		r.errorf(key, "%q cannot be part of a metric's or label's name", col.Alias()).Hint = "use rename with letters, digits and _"
	case col.Usage == Label && (strings.HasPrefix(col.Alias(), "__") || col.Alias() == "le"):
		r.errorf(key, "label %q is reserved by Prometheus", col.Alias()).Hint = "use rename"
	}
	if col.Usage == Histogram && len(col.Buckets) == 0 {
		r.errorf(key, "histogram %q needs a bucket: the upper bounds, ascending", col.Name)
	}
	if col.Usage != Histogram && len(col.Buckets) > 0 {
		r.errorf(key, "column %q has buckets and is no histogram", col.Name)
	}
}

func usageWords() string {
	words := make([]string, len(usages))
	for i, u := range usages {
		words[i] = string(u)
	}
	return "one of " + strings.Join(words, ", ")
}

// ValidName tells whether Prometheus takes a name of a label; names of metrics may have colons as
// well, but those are kept for recording rules.
func ValidName(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// check looks at a whole definition.
func (r *reader) check(c *Collector, key *yaml.Node) {
	if !ValidName(c.Name) {
		r.errorf(key, "%q cannot begin a metric's name", c.Name).Hint = "give a name with letters, digits and _"
	}
	if c.Query == "" {
		r.errorf(key, "collector %q has no query", c.Branch).Hint = "a definition without one changes the collector of that name in an earlier source, and there is none"
	}
	if c.MaxVersion > 0 && c.MinVersion >= c.MaxVersion {
		r.errorf(key, "collector %q is for no version: min_version %d is not below max_version %d", c.Branch, c.MinVersion, c.MaxVersion)
	}
	if len(c.Values()) == 0 && len(c.Histograms()) == 0 && !c.Skip {
		r.errorf(key, "collector %q has no metric", c.Branch).Hint = "describe at least one column as COUNTER, GAUGE or HISTOGRAM"
	}
	r.checkNames(c, key)
	r.checkTop(c, key)
}

func (r *reader) checkNames(c *Collector, key *yaml.Node) {
	for _, group := range [][]Column{c.Labels(), slices.Concat(c.Values(), c.Histograms())} {
		seen := map[string]string{}
		for _, col := range group {
			if other, twice := seen[col.Alias()]; twice {
				r.errorf(key, "columns %q and %q of collector %q get the same name", other, col.Name, c.Branch)
			}
			seen[col.Alias()] = col.Name
		}
	}
}

func (r *reader) checkTop(c *Collector, key *yaml.Node) {
	if c.Top == nil {
		return
	}
	if len(c.Top.By) == 0 {
		r.errorf(key, "top of collector %q does not say by what", c.Branch).Hint = "name columns that are metrics in by"
	}
	for _, name := range c.Top.By {
		if !slices.ContainsFunc(c.Values(), func(col Column) bool { return col.Name == name }) {
			r.errorf(key, "top of collector %q goes by %q, which is no COUNTER or GAUGE", c.Branch, name)
		}
	}
}
