package server

import "pigsty/internal/exporter/collector"

// family is one metric and where its series come from: Prometheus wants all of them in one place,
// and several collectors may have the same metric, such as one for each version of PostgreSQL.
type family struct {
	name, kind, help string
	members          []member
}

// member is one column of one collector.
type member struct {
	reading *reading
	column  int // of the values, or of the histograms
	part    part
}

// part is what of a column a family has: a value, or one of the three that a histogram becomes.
type part int

const (
	valuePart part = iota
	bucketPart
	sumPart
	countPart
)

// families lists the metrics of collectors in the order in which they first come.
func families(readings []*reading) []*family {
	var out []*family
	by := map[string]*family{}
	add := func(name, kind, help string, m member) {
		f := by[name]
		if f == nil {
			f = &family{name: name, kind: kind, help: help}
			by[name] = f
			out = append(out, f)
		}
		f.members = append(f.members, m)
	}
	for _, r := range readings {
		for i, col := range r.values {
			kind := "gauge"
			if col.Usage == collector.Counter {
				kind = "counter"
			}
			add(r.Metric(col), kind, help(r, col), member{r, i, valuePart})
		}
		for i, col := range r.histograms {
			name, text := r.Metric(col), help(r, col)
			add(name+"_bucket", "gauge", text, member{r, i, bucketPart})
			add(name+"_sum", "gauge", text, member{r, i, sumPart})
			add(name+"_count", "gauge", text, member{r, i, countPart})
		}
	}
	return out
}

func help(r *reading, col collector.Column) string {
	if col.Desc != "" {
		return col.Desc
	}
	return "column " + col.Name + " of collector " + r.Branch
}
