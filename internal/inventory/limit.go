package inventory

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"pigsty/internal/diag"
)

// Limit picks hosts, in file order, by Ansible's limit pattern: hosts, groups, `*` globs of
// either and `~` regular expressions, separated by ',' or ':'. Terms with '&' keep only what
// they also match, terms with '!' remove, whatever the order they are written in. An empty
// pattern and `all` are every host. A term that matches nothing is an error.
func (inv *Inventory) Limit(pattern string) ([]string, error) {
	var add, keep, drop []string
	for _, term := range inv.terms(pattern) {
		switch term[0] {
		case '&':
			keep = append(keep, term[1:])
		case '!':
			drop = append(drop, term[1:])
		default:
			add = append(add, term)
		}
	}
	if len(add) == 0 {
		add = []string{"all"}
	}
	chosen, err := inv.union(add)
	if err != nil {
		return nil, err
	}
	for _, term := range keep {
		also, err := inv.union([]string{term})
		if err != nil {
			return nil, err
		}
		for h := range chosen {
			chosen[h] = chosen[h] && also[h]
		}
	}
	gone, err := inv.union(drop)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, h := range inv.hosts {
		if chosen[h] && !gone[h] {
			out = append(out, h)
		}
	}
	return out, nil
}

// terms splits a pattern. Colons separate only where there is no comma and the piece is not an
// IPv6 address of the inventory.
func (inv *Inventory) terms(pattern string) []string {
	pieces := strings.Split(pattern, ",")
	if len(pieces) == 1 && inv.byName[pattern] == nil && !slices.Contains(inv.hosts, strings.TrimLeft(pattern, "&!")) {
		pieces = strings.Split(pattern, ":")
	}
	var out []string
	for _, p := range pieces {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

func (inv *Inventory) union(terms []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, term := range terms {
		match, err := matcher(term)
		if err != nil {
			return nil, err
		}
		found := term == "all" || term == "*"
		for _, g := range inv.groups {
			if match(g.Name) {
				found = true
				for _, h := range g.Hosts {
					out[h] = true
				}
			}
		}
		for _, h := range inv.hosts {
			if term == "all" || match(h) {
				found = true
				out[h] = true
			}
		}
		if !found {
			return nil, inv.noMatch(term)
		}
	}
	return out, nil
}

func matcher(term string) (func(string) bool, error) {
	if expr, ok := strings.CutPrefix(term, "~"); ok {
		re, err := regexp.Compile("^(?:" + expr + ")")
		if err != nil {
			return nil, fmt.Errorf("limit %q: %w", term, err)
		}
		return re.MatchString, nil
	}
	if _, err := path.Match(term, ""); err != nil {
		return nil, fmt.Errorf("limit %q: %w", term, err)
	}
	return func(name string) bool {
		ok, err := path.Match(term, name)
		return ok && err == nil
	}, nil
}

func (inv *Inventory) noMatch(term string) error {
	names := inv.Hosts()
	for _, g := range inv.groups {
		names = append(names, g.Name)
	}
	if near := diag.Nearest(term, names); near != "" {
		return fmt.Errorf("limit %q matches no host or group; did you mean %s?", term, near)
	}
	return fmt.Errorf("limit %q matches no host or group of %s", term, inv.text.file)
}
