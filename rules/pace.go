package rules

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Pace makes rules quicker or slower than they are written. The zero value leaves them as they are.
type Pace struct {
	// For is what every alert's `for` and `keep_firing_for` is multiplied by: 0.1 makes a minute
	// six seconds. 0 means 1.
	For float64
	// Interval is how often each group is evaluated; 0 leaves that to Prometheus' own
	// evaluation_interval. It is not to be shorter than the interval of scraping by much: between
	// two scrapes nothing new is to be seen.
	Interval time.Duration
}

// Apply gives the file at another pace. Nothing but the durations changes: comments, order and
// expressions stay. A file that is not one of rules is an error that names it.
func (p Pace) Apply(f File) (File, error) {
	if p.For < 0 || p.Interval < 0 {
		return File{}, fmt.Errorf("pace of rules %v, %v: a duration cannot be negative", p.For, p.Interval)
	}
	if p == (Pace{}) {
		return f, nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(f.Text), &root); err != nil {
		return File{}, fmt.Errorf("rules in %s: %w", f.Name, err)
	}
	text := strings.Split(f.Text, "\n")
	for _, group := range items(value(document(&root), "groups")) {
		if err := p.group(text, group); err != nil {
			return File{}, fmt.Errorf("rules in %s: %w", f.Name, err)
		}
	}
	return File{Name: f.Name, Text: strings.Join(text, "\n")}, nil
}

// group writes the durations of a group into the lines of the file.
func (p Pace) group(text []string, group *yaml.Node) error {
	name := value(group, "name")
	if name == nil {
		return fmt.Errorf("line %d: a group has no name", group.Line)
	}
	for _, rule := range items(value(group, "rules")) {
		for _, key := range []string{"for", "keep_firing_for"} {
			if err := p.stretch(text, value(rule, key)); err != nil {
				return err
			}
		}
	}
	switch interval := value(group, "interval"); {
	case p.Interval == 0:
	case interval != nil:
		return replace(text, interval, milliseconds(p.Interval))
	default:
		line := &text[name.Line-1]
		*line += "\n" + strings.Repeat(" ", keyColumn(group, "name")-1) + "interval: " + milliseconds(p.Interval)
	}
	return nil
}

// stretch multiplies the duration that a rule has, if it has one.
func (p Pace) stretch(text []string, duration *yaml.Node) error {
	if duration == nil || p.For == 0 {
		return nil
	}
	d, err := parseDuration(duration.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", duration.Line, err)
	}
	return replace(text, duration, milliseconds(time.Duration(float64(d)*p.For)))
}

// replace puts another scalar where one stands.
func replace(text []string, scalar *yaml.Node, by string) error {
	line := &text[scalar.Line-1]
	rest, plain := strings.CutPrefix((*line)[scalar.Column-1:], scalar.Value)
	if !plain {
		return fmt.Errorf("line %d: write the duration %s without quotes", scalar.Line, scalar.Value)
	}
	*line = (*line)[:scalar.Column-1] + by + rest
	return nil
}

// units are those of Prometheus' durations, longest first, as they have to stand.
var units = []struct {
	name string
	is   time.Duration
}{
	{"y", 365 * 24 * time.Hour},
	{"w", 7 * 24 * time.Hour},
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
}

// parseDuration reads a duration as Prometheus writes it: 1h30m, 1d, 0.
func parseDuration(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	var sum time.Duration
	rest := s
	for _, unit := range units {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		after, ok := strings.CutPrefix(rest[digits:], unit.name)
		if !ok || unit.name == "m" && strings.HasPrefix(after, "s") {
			continue
		}
		n, err := strconv.Atoi(rest[:digits])
		if err != nil {
			break
		}
		sum += time.Duration(n) * unit.is
		rest = after
	}
	if rest != "" || s == "" {
		return 0, errors.New(strconv.Quote(s) + " is no duration: write one such as 30s, 5m or 1h30m")
	}
	return sum, nil
}

// milliseconds writes a duration in the one unit that needs no fraction.
func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + "ms" }

// document is what a file holds.
func document(root *yaml.Node) *yaml.Node {
	if len(root.Content) == 0 {
		return root
	}
	return root.Content[0]
}

// items are the elements of a list; nothing has none.
func items(list *yaml.Node) []*yaml.Node {
	if list == nil || list.Kind != yaml.SequenceNode {
		return nil
	}
	return list.Content
}

// value is what a mapping has under a key, or nil.
func value(mapping *yaml.Node, key string) *yaml.Node {
	if i := index(mapping, key); i >= 0 {
		return mapping.Content[i+1]
	}
	return nil
}

// keyColumn is where a key of a mapping stands in its line, counted from 1.
func keyColumn(mapping *yaml.Node, key string) int {
	return mapping.Content[index(mapping, key)].Column
}

// index is where a key of a mapping is among its contents, or -1.
func index(mapping *yaml.Node, key string) int {
	if mapping.Kind != yaml.MappingNode {
		return -1
	}
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return i
		}
	}
	return -1
}
