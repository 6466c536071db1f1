package secret

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// entry is one line of the secrets file.
type entry struct {
	value string
	line  int
}

// parse reads a secrets file: one mapping of names to single values. Its errors name the line
// and never repeat what stands there.
func parse(path string, text []byte) (map[string]entry, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		if line := errorLine(err); line > 0 {
			path = fmt.Sprintf("%s:%d", path, line)
		}
		return nil, fmt.Errorf("%s: not a valid YAML file", path)
	}
	entries := make(map[string]entry)
	if len(doc.Content) == 0 {
		return entries, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: not a list of the form name: value", path, root.Line)
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if key.Kind != yaml.ScalarNode || value.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("%s:%d: not of the form name: value", path, key.Line)
		}
		if value.Value == "" || value.ShortTag() == "!!null" {
			return nil, fmt.Errorf("%s:%d: %s has no value; remove the line to have one made", path, key.Line, key.Value)
		}
		if first, ok := entries[key.Value]; ok {
			return nil, fmt.Errorf("%s:%d: %s is already given on line %d", path, key.Line, key.Value, first.line)
		}
		entries[key.Value] = entry{value: value.Value, line: key.Line}
	}
	return entries, nil
}

// errorLine gives where a file stops being YAML, 0 when that is not known.
func errorLine(err error) int {
	var where *yaml.LoadError
	if !errors.As(err, &where) {
		return 0
	}
	return where.Mark.Line
}

// appendEntries adds lines at the end, sorted with the seed first, and leaves the text before
// them as it is: somebody may have written comments there.
func appendEntries(text []byte, added map[string]string) []byte {
	var b bytes.Buffer
	b.Write(text)
	if len(text) > 0 && text[len(text)-1] != '\n' {
		b.WriteByte('\n')
	}
	names := slices.Sorted(maps.Keys(added))
	if i := slices.Index(names, seedKey); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, seedKey)
	}
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\n", quoteKey(name), added[name])
	}
	return b.Bytes()
}

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// quoteKey writes a name so that YAML reads it back, whatever is in it: a YAML double-quoted
// scalar understands all that JSON's does.
func quoteKey(name string) string {
	if plainKey.MatchString(name) {
		return name
	}
	return strconv.QuoteToASCII(name)
}

// extend adds entries to a file's text and reads the outcome back: in a file that is YAML but
// not made of lines, such as one in braces, what is appended would not count.
func extend(path string, text []byte, added map[string]string) ([]byte, map[string]entry, error) {
	text = appendEntries(text, added)
	entries, err := parse(path, text)
	if err != nil || !holds(entries, added) {
		return nil, nil, fmt.Errorf("%s: secrets are to be added, but the file is not made of plain lines of the form name: value", path)
	}
	return text, entries, nil
}

func holds(entries map[string]entry, added map[string]string) bool {
	for name, value := range added {
		if entries[name].value != value {
			return false
		}
	}
	return true
}

func decodeSeed(path string, e entry) (Seed, error) {
	seed, err := base64.StdEncoding.DecodeString(e.value)
	if err != nil || len(seed) != seedSize {
		return nil, fmt.Errorf("%s:%d: the seed is not %d bytes in base64; put the old one back from a copy of this file", path, e.line, seedSize)
	}
	return seed, nil
}
