package main

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed knowledge.table
var knowledgeTable string

// knowledge is what the table says.
type knowledge struct {
	preload  map[string][]string // extension → libraries
	first    map[string]bool     // extensions that cannot be created before these are loaded
	optional map[string]bool     // libraries
	library  map[string]string   // of the server's own package → what for
	setting  map[string]map[string]string
	leave    map[string]bool
}

// readKnowledge reads the table, whose form stands at its top.
func readKnowledge(text string) (*knowledge, error) {
	k := &knowledge{
		preload: map[string][]string{}, first: map[string]bool{}, optional: map[string]bool{},
		library: map[string]string{}, setting: map[string]map[string]string{}, leave: map[string]bool{},
	}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) < 2 || !k.add(words[0], words[1], words[2:]) {
			return nil, fmt.Errorf("cannot read %q of knowledge.table", strings.TrimSpace(line))
		}
	}
	return k, nil
}

func (k *knowledge) add(what, name string, rest []string) bool {
	switch {
	case what == "optional":
		k.optional[name] = true
	case len(rest) == 0:
		return false
	case what == "preload", what == "first":
		k.preload[name], k.first[name] = rest, what == "first"
	case what == "library":
		k.library[name] = strings.Join(rest, " ")
	case what == "leave":
		k.leave[name] = true
	case what == "setting" && len(rest) == 2:
		if k.setting[name] == nil {
			k.setting[name] = map[string]string{}
		}
		k.setting[name][rest[0]] = rest[1]
	default:
		return false
	}
	return true
}

// says tells whether the table says something of a library.
func (k *knowledge) says(library string) bool {
	if k.optional[library] || k.library[library] != "" {
		return true
	}
	for _, libraries := range k.preload {
		for _, l := range libraries {
			if l == library {
				return true
			}
		}
	}
	return false
}
