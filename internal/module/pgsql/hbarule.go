package pgsql

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"pigsty/internal/param"
)

// method is what an alias of auth stands for: the method, and the type of a line over TCP.
type method struct{ name, kind string }

// methods are the aliases of later versions, beside PostgreSQL's own words; "" is the method
// that passwords are stored for.
var methods = map[string]method{
	"": {"", "host"}, "pwd": {"", "host"}, "ssl": {"", "hostssl"},
	"sha": {"scram-sha-256", "host"}, "scram-sha-256": {"scram-sha-256", "host"}, "ssl-sha": {"scram-sha-256", "hostssl"},
	"md5": {"md5", "host"}, "ssl-md5": {"md5", "hostssl"},
	"deny": {"reject", "host"}, "reject": {"reject", "host"}, "trust": {"trust", "host"},
	"cert": {"cert", "hostssl"}, "os": {"ident", "host"}, "ident": {"ident", "host"}, "peer": {"ident", "host"},
}

// expand writes a structured rule: one line for each place that addr stands for. A rule that
// says neither where nor how is empty.
func (m *member) expand(r param.HbaRule) []string {
	if r.Addr == "" && r.Auth == "" {
		return nil
	}
	how := methods[r.Auth]
	if how.name == "" {
		how.name = m.password()
	}
	who := names(r.Db, m) + " " + names(r.User, m)
	var lines []string
	if r.Addr == "local" || r.Addr == "localhost" {
		lines = append(lines, "local "+who+" "+localMethod(how.name))
	}
	for _, network := range m.networks(r.Addr) {
		lines = append(lines, how.kind+" "+who+" "+network+" "+how.name)
	}
	return lines
}

// localMethod is the method's counterpart on a Unix socket, where the system itself knows who
// is calling.
func localMethod(name string) string {
	if name == "ident" || name == "cert" {
		return "peer"
	}
	return name
}

// networks are the places that an alias of addr stands for; an address or a network is itself.
func (m *member) networks(addr string) []string {
	var out []string
	switch addr {
	case "local":
	case "localhost":
		out = []string{"127.0.0.1/32", "::1/128"}
	case "admin", "infra":
		for _, n := range m.d.Nodes {
			if n.Param.MetaNode {
				out = append(out, network(n.Addr))
			}
		}
	case "cluster":
		for _, i := range m.c.Instances {
			out = append(out, network(i.Node.Addr))
		}
	case "intra", "intranet":
		out = slices.Clone(intranet)
	case "world", "all", "":
		out = []string{"0.0.0.0/0", "::/0"}
	default:
		out = []string{network(addr)}
	}
	return out
}

// network is an address in the form of pg_hba.conf; a network or a host name is itself.
func network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return addr
	}
	return netip.PrefixFrom(ip, ip.BitLen()).String()
}

// inside tells whether a network lies in one of others.
func inside(network string, others []string) bool {
	p, err := netip.ParsePrefix(network)
	return err == nil && slices.ContainsFunc(others, func(o string) bool {
		outer := netip.MustParsePrefix(o)
		return outer.Overlaps(p) && outer.Bits() <= p.Bits()
	})
}

// names expands the words for the system's users in a list of users or databases, and quotes
// what needs it.
func names(list string, m *member) string {
	system := map[string]string{
		"${dbsu}": m.p.PgDbsu, "${repl}": m.c.Param.PgReplicationUsername,
		"${monitor}": m.c.Param.PgMonitorUsername, "${admin}": m.c.Param.PgAdminUsername,
	}
	var out []string
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if s, ok := system[name]; ok {
			name = s
		}
		if name != "" {
			out = append(out, role(name))
		}
	}
	return strings.Join(out, ",")
}

// plain are names that need no quotes; a leading + means the members of a role.
var plain = regexp.MustCompile(`^[A-Za-z0-9_.+@/-]+$`)

func role(name string) string {
	if plain.MatchString(name) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
