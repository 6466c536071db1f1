package sandbox

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
)

// rule is one line of the host's firewall, without its comment.
type rule struct {
	table, chain string
	match        []string
}

// comment marks the rules of a sandbox; no other rule is ever touched.
func comment(sandbox string) string { return "pigsty-sandbox:" + sandbox }

func (r rule) argv(verb, mark string) []string {
	argv := append([]string{"iptables", "-w", "-t", r.table, verb, r.chain}, r.match...)
	return append(argv, "-m", "comment", "--comment", mark)
}

// baseRules let a sandbox's nodes out to the network and hide their addresses behind the host's.
func baseRules(c *Config) []rule {
	bridge, subnet := bridgeName(c.Name), c.Subnet.String()
	return []rule{
		{"nat", "POSTROUTING", []string{"-s", subnet, "!", "-d", subnet, "-j", "MASQUERADE"}},
		{"filter", "FORWARD", []string{"-i", bridge, "-j", "ACCEPT"}},
		{"filter", "FORWARD", []string{"-o", bridge, "-j", "ACCEPT"}},
	}
}

// cutRules drop what two nodes send each other.
func cutRules(a, b *machine) []rule {
	drop := func(from, to *machine) rule {
		return rule{"filter", "FORWARD", []string{"-m", "physdev", "--physdev-in", from.link(), "--physdev-out", to.link(), "-j", "DROP"}}
	}
	return []rule{drop(a, b), drop(b, a)}
}

// addRule puts a rule in front of its chain unless it is there already.
func addRule(ctx context.Context, sandbox string, r rule) error {
	if _, err := run(ctx, r.argv("-C", comment(sandbox))...); err == nil {
		return nil
	}
	_, err := run(ctx, r.argv("-I", comment(sandbox))...)
	return err
}

// sandboxRules lists the rules of a sandbox as iptables prints them: "-A CHAIN …". A host that has
// no iptables yet, as before its first sandbox, has none.
func sandboxRules(ctx context.Context, table, sandbox string) ([][]string, error) {
	text, err := run(ctx, "iptables", "-w", "-t", table, "-S")
	if errors.Is(err, exec.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var rules [][]string
	for line := range strings.Lines(text) {
		words := strings.Fields(strings.ReplaceAll(line, `"`, ""))
		if len(words) > 2 && words[0] == "-A" && slices.Contains(words, comment(sandbox)) {
			rules = append(rules, words)
		}
	}
	return rules, nil
}

// deleteRules removes the rules of a sandbox that match.
func deleteRules(ctx context.Context, sandbox string, match func(words []string) bool) error {
	var errs []error
	for _, table := range []string{"nat", "filter"} {
		rules, err := sandboxRules(ctx, table, sandbox)
		errs = append(errs, err)
		for _, words := range rules {
			if match(words) {
				_, err := run(ctx, append([]string{"iptables", "-w", "-t", table, "-D"}, words[1:]...)...)
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
