// Package hba says what a list of access rules does with a client, as PostgreSQL and pgBouncer do
// it: the first rule that matches decides, and nobody is let in by none.
package hba

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Rule is one line of pg_hba.conf, taken apart.
type Rule struct {
	Line      int      `json:"line"`           // in its file
	File      string   `json:"file,omitempty"` // empty = the main one
	Text      string   `json:"text"`           // as it stands there
	Type      string   `json:"type"`           // local, host, hostssl, hostnossl, hostgssenc or hostnogssenc
	Databases []string `json:"databases"`
	Users     []string `json:"users"`
	Address   string   `json:"address,omitempty"` // empty for local
	Netmask   string   `json:"netmask,omitempty"`
	Method    string   `json:"method"`
	Options   []string `json:"options,omitempty"`
	// Error is why the line cannot be read; a file with such a line is not taken at all.
	Error string `json:"error,omitempty"`
}

// Client is somebody who wants in.
type Client struct {
	User string
	// Database is the one wanted; Replication is the stream of a standby, which names none.
	Database string
	// Addr is where the client comes from; the zero value stands for the Unix socket.
	Addr netip.Addr
	TLS  bool
	// Roles are those that the user is a member of, directly or not, without the rights of a
	// superuser to be any.
	Roles []string
	// Host are the addresses of the server's own interfaces, for samehost and samenet.
	Host []netip.Prefix
}

// Replication is the word for physical replication in place of a database.
const Replication = "replication"

// Verdict is what decides about a client.
type Verdict struct {
	// Rule decides; nil when none matches, and then the client is refused.
	Rule *Rule
	// Unsure are rules before it whose host names only the server can look up.
	Unsure []Rule
}

// Decide finds the rule that decides about a client.
func Decide(rules []Rule, c Client) Verdict {
	var v Verdict
	for n := range rules {
		r := &rules[n]
		if r.Error != "" || !r.connection(c) || !r.database(c) || !r.user(c) {
			continue
		}
		switch matches, known := r.address(c); {
		case !known:
			v.Unsure = append(v.Unsure, *r)
		case matches:
			v.Rule = r
			return v
		}
	}
	return v
}

// connection compares how the client comes.
func (r *Rule) connection(c Client) bool {
	switch r.Type {
	case "local":
		return !c.Addr.IsValid()
	case "host", "hostnogssenc":
		return c.Addr.IsValid()
	case "hostssl":
		return c.Addr.IsValid() && c.TLS
	case "hostnossl":
		return c.Addr.IsValid() && !c.TLS
	}
	return false // hostgssenc: nobody here speaks Kerberos
}

func (r *Rule) database(c Client) bool {
	return slices.ContainsFunc(r.Databases, func(name string) bool {
		switch {
		case c.Database == Replication:
			// No other word, not even all, means the stream of a standby.
			return name == Replication
		case name == "all":
			return true
		case name == Replication:
			return false
		case name == "sameuser":
			return c.Database == c.User
		case name == "samerole" || name == "samegroup":
			return c.Database == c.User || slices.Contains(c.Roles, c.Database)
		}
		return name == c.Database || fits(name, c.Database)
	})
}

func (r *Rule) user(c Client) bool {
	return slices.ContainsFunc(r.Users, func(name string) bool {
		if role, group := strings.CutPrefix(name, "+"); group {
			return role == c.User || slices.Contains(c.Roles, role)
		}
		return name == "all" || name == c.User || fits(name, c.User)
	})
}

// fits compares with a regular expression, which begins with a slash.
func fits(expression, name string) bool {
	expression, is := strings.CutPrefix(expression, "/")
	if !is {
		return false
	}
	re, err := regexp.Compile(expression)
	return err == nil && re.MatchString(name)
}

// address compares where the client comes from; known is false for a host's name.
func (r *Rule) address(c Client) (matches, known bool) {
	from := c.Addr.Unmap()
	switch r.Address {
	case "", "all":
		return true, true
	case "samehost":
		return slices.ContainsFunc(c.Host, func(p netip.Prefix) bool { return p.Addr() == from }), true
	case "samenet":
		return slices.ContainsFunc(c.Host, func(p netip.Prefix) bool { return p.Contains(from) }), true
	}
	network, err := r.Network()
	if err != nil {
		return false, false
	}
	return network.Contains(from), true
}

// Network is the address with its mask; an error for a word or a host name.
func (r Rule) Network() (netip.Prefix, error) {
	if strings.Contains(r.Address, "/") {
		return netip.ParsePrefix(r.Address)
	}
	addr, err := netip.ParseAddr(r.Address)
	if err != nil {
		return netip.Prefix{}, err
	}
	bits := addr.BitLen()
	if r.Netmask != "" {
		mask, err := netip.ParseAddr(r.Netmask)
		if err != nil {
			return netip.Prefix{}, err
		}
		bits = ones(mask)
	}
	return addr.Prefix(bits)
}

// ones counts the leading ones of a mask.
func ones(mask netip.Addr) int {
	n := 0
	for _, b := range mask.AsSlice() {
		for ; b&0x80 != 0; b <<= 1 {
			n++
		}
	}
	return n
}
