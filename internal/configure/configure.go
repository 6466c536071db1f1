// Package configure writes a first inventory for the machine it runs on. It asks nothing that
// it can find out.
package configure

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"regexp"
	"strings"

	"pigsty/conf"
	"pigsty/internal/fact"
)

// placeholder is the address that stands for this machine in the ready inventories.
const placeholder = "10.10.10.10"

// Options are what only a person can know; empty fields are found out.
type Options struct {
	Mode string // a ready inventory's name without .yml; empty = single
	IP   string // this machine's address; empty = the only one it has
}

// Result is a new inventory and what it was made from.
type Result struct {
	Text    string
	Mode    string
	IP      string
	Profile string // tuning profile for node and databases: tiny or oltp
	Facts   fact.Node
}

// oltpCPUs is the number of processors from which v1.5 chooses oltp over tiny.
const oltpCPUs = 8

// Write makes an inventory for this machine. password is called for each password to be made.
func Write(ctx context.Context, o Options, password func() string) (*Result, error) {
	facts, err := fact.Gather(ctx, fact.Query{DataDir: "/"}, "")
	if err != nil {
		return nil, err
	}
	r := &Result{Mode: o.Mode, Facts: facts, Profile: "tiny"}
	if r.Mode == "" {
		r.Mode = "single"
	}
	if facts.CPUs >= oltpCPUs {
		r.Profile = "oltp"
	}
	if err := supported(facts); err != nil {
		return nil, err
	}
	if r.IP, err = choose(facts.Addresses, o.IP); err != nil {
		return nil, err
	}
	return r, r.render(password)
}

// supported refuses systems on which nothing has been tested.
func supported(f fact.Node) error {
	if f.OS == "debian" && (f.Release == 12 || f.Release == 13) {
		return nil
	}
	return fmt.Errorf("this machine runs %s %d; pigsty is made for Debian 12 and 13", f.OS, f.Release)
}

// choose finds this machine's address: the one asked for, or the only one.
func choose(addresses []fact.Address, asked string) (string, error) {
	var own []string
	for _, a := range addresses {
		prefix, err := netip.ParsePrefix(a.Prefix)
		if err != nil || !prefix.Addr().Is4() || prefix.Addr().IsLoopback() || prefix.Addr().IsLinkLocalUnicast() {
			continue
		}
		if prefix.Addr().String() == asked {
			return asked, nil
		}
		own = append(own, prefix.Addr().String())
	}
	switch {
	case asked != "":
		return "", fmt.Errorf("%s is not an address of this machine, which has %s", asked, strings.Join(own, ", "))
	case len(own) == 1:
		return own[0], nil
	case len(own) == 0:
		return "", errors.New("this machine has no network address besides loopback: give it one, or name one with --ip")
	}
	return "", fmt.Errorf("this machine has several addresses: choose the one that others reach it by with --ip (%s)", strings.Join(own, ", "))
}

var (
	publishedPassword = regexp.MustCompile(`password: [^\s,}]+`)
	profileLine       = regexp.MustCompile(`(?m)^(    (?:node_tune|pg_conf): )tiny(\.yml)?$`)
	heading           = regexp.MustCompile(`(?m)\A(#.*\n)+`)
)

// render fills the ready inventory: address, profile, a password of its own for every user that
// the original publishes one for.
func (r *Result) render(password func() string) error {
	data, err := fs.ReadFile(conf.Files, r.Mode+".yml")
	if err != nil {
		return fmt.Errorf("no ready inventory is called %q: choose from %s", r.Mode, strings.Join(Modes(), ", "))
	}
	text := heading.ReplaceAllLiteralString(string(data), fmt.Sprintf(
		"# Made by pigsty configure from %s.yml for %s. It holds passwords: keep it to yourself.\n", r.Mode, r.IP))
	text = regexp.MustCompile(regexp.QuoteMeta(placeholder)+`\b`).ReplaceAllLiteralString(text, r.IP)
	text = publishedPassword.ReplaceAllStringFunc(text, func(string) string { return "password: " + password() })
	r.Text = profileLine.ReplaceAllString(text, "${1}"+r.Profile+"${2}")
	return nil
}

// Modes are the names of the ready inventories.
func Modes() []string {
	entries, err := fs.ReadDir(conf.Files, ".")
	if err != nil {
		panic(err) // an embedded folder can be read
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yml"))
	}
	return names
}
