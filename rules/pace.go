package rules

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Pace makes rules quicker or slower than they are written. The zero value leaves them as they are.
type Pace struct {
	// Factor is what every alert's `for` and `keep_firing_for`, and the interval of a group that has
	// one of its own, are multiplied by: 0.1 makes a minute six seconds. 0 means 1.
	Factor float64
	// Shortest is what no group's interval of its own is shorter than, as Prometheus writes durations,
	// and no matter what the factor is: between two scrapes nothing new is to be seen. "" is none.
	Shortest string
}

// Apply gives the file at another pace. Nothing but the durations changes: comments, order and
// expressions stay. A file that is not one of rules is an error that names it.
func (p Pace) Apply(f File) (File, error) {
	var shortest time.Duration
	if p.Shortest != "" {
		var err error
		if shortest, err = parseDuration(p.Shortest); err != nil {
			return File{}, fmt.Errorf("shortest interval of rules: %w", err)
		}
	}
	if p.Factor < 0 {
		return File{}, fmt.Errorf("pace of rules %v: a duration cannot be negative", p.Factor)
	}
	s := stretching{text: strings.Split(f.Text, "\n"), factor: cmp.Or(p.Factor, 1), shortest: shortest}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(f.Text), &root); err != nil {
		return File{}, fmt.Errorf("rules in %s: %w", f.Name, err)
	}
	for _, group := range items(value(document(&root), "groups")) {
		if err := s.group(group); err != nil {
			return File{}, fmt.Errorf("rules in %s: %w", f.Name, err)
		}
	}
	return File{Name: f.Name, Text: strings.Join(s.text, "\n")}, nil
}

// stretching is a pace at work on the lines of a file.
type stretching struct {
	text     []string
	factor   float64
	shortest time.Duration
}

func (s *stretching) group(group *yaml.Node) error {
	for _, rule := range items(value(group, "rules")) {
		for _, key := range []string{"for", "keep_firing_for"} {
			if err := s.stretch(value(rule, key), 0); err != nil {
				return err
			}
		}
	}
	return s.stretch(value(group, "interval"), s.shortest)
}

// stretch multiplies a duration, if there is one, and leaves it as it is written where that changes
// nothing.
func (s *stretching) stretch(duration *yaml.Node, shortest time.Duration) error {
	if duration == nil {
		return nil
	}
	was, err := parseDuration(duration.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", duration.Line, err)
	}
	is := max(shortest, time.Duration(float64(was)*s.factor))
	if is == was {
		return nil
	}
	line := &s.text[duration.Line-1]
	rest, plain := strings.CutPrefix((*line)[duration.Column-1:], duration.Value)
	if !plain {
		return fmt.Errorf("line %d: write the duration %s without quotes", duration.Line, duration.Value)
	}
	*line = (*line)[:duration.Column-1] + milliseconds(is) + rest
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
