package pgsql

import (
	"cmp"
	"slices"
	"strings"

	"pigsty/internal/model"
	"pigsty/internal/param"
)

// intranet are the private networks of RFC 1918, which v1.5 trusts to ask for a password.
var intranet = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}

// hba are the lines of PostgreSQL's pg_hba.conf; the first that matches decides. The order is
// v1.5's: the system's own users; then what the inventory adds, common rules before those of
// the role; then the default rules of the role, those for offline queries where they are
// served, and the common ones. Among the rules of the inventory, order wins over all that.
func (m *member) hba() []model.AccessLine {
	extra := m.listed("pg_hba_rules_extra", m.c.Param.PgHbaRulesExtra)
	rules := m.listed("pg_hba_rules", m.c.Param.PgHbaRules)
	chosen := ofRole(extra, "common")
	chosen = append(chosen, ofRole(extra, m.i.Role)...)
	chosen = append(chosen, ofRole(rules, m.i.Role)...)
	if m.servesOffline() && m.i.Role != model.RoleOffline {
		chosen = append(chosen, ofRole(extra, "offline")...)
		chosen = append(chosen, ofRole(rules, "offline")...)
	}
	chosen = append(chosen, ofRole(rules, "common")...)
	lines := m.ours("users of the system", m.systemHBA())
	lines = append(lines, m.ours("TLS for users of the system", m.demandTLS(chosen))...)
	return append(lines, m.rules(chosen)...)
}

// listedRule is a rule and where the inventory lists it.
type listedRule struct {
	param.HbaRule
	variable string
	index    int // in the variable's list
}

// listed are the rules of a parameter.
func (m *member) listed(variable string, rules []param.HbaRule) []listedRule {
	list := make([]listedRule, len(rules))
	for n, r := range rules {
		list[n] = listedRule{r, variable, n}
	}
	return list
}

// ours are lines that stand in no inventory.
func (m *member) ours(why string, texts []string) []model.AccessLine {
	var lines []model.AccessLine
	for _, text := range texts {
		lines = append(lines, model.AccessLine{Text: text, Origin: "pigsty: " + why})
	}
	return lines
}

// systemHBA lets in those without whom the cluster does not work. Replication and pg_rewind
// come from any private network, since a standby cluster may be of another deployment, and over
// TLS only; Patroni itself asks on 127.0.0.1.
func (m *member) systemHBA() []string {
	password := m.password()
	dbsu, replicator, monitor := role(m.p.PgDbsu), role(m.c.Param.PgReplicationUsername), role(m.c.Param.PgMonitorUsername)
	lines := []string{
		"local all " + dbsu + " peer",
		"local replication " + dbsu + " peer",
	}
	lines = append(lines, m.poolLoginHBA()...)
	lines = append(lines, m.offlineHBA(password)...)
	lines = append(lines, "local all all "+password, "local replication "+replicator+" "+password)
	kind := "hostssl"
	if !m.tls() {
		kind = "host"
	}
	for _, network := range append([]string{"127.0.0.1/32", "::1/128"}, m.peers()...) {
		lines = append(lines, kind+" all "+replicator+" "+network+" "+password,
			kind+" replication "+replicator+" "+network+" "+password)
	}
	return append(lines, "host all "+monitor+" 127.0.0.1/32 "+password, "host all "+monitor+" ::1/128 "+password)
}

// servesOffline tells whether the instance is for offline queries.
func (m *member) servesOffline() bool {
	return m.i.Role == model.RoleOffline || m.p.PgOfflineQuery
}

// offlineHBA keeps those who are for offline queries alone from other instances also where they
// come through the pool, which uses the socket.
func (m *member) offlineHBA(password string) []string {
	if m.servesOffline() || !m.hasRole("dbrole_offline") {
		return nil
	}
	return []string{"local all +dbrole_readonly " + password, "local all +dbrole_offline reject"}
}

// tls tells whether the server takes TLS.
func (m *member) tls() bool { return takesTLS(m.p) }

// takesTLS is true of every server but one where pg_parameters switches it off.
func takesTLS(p param.Pgsql) bool {
	switch strings.ToLower(p.PgParameters["ssl"]) {
	case "off", "false", "no", "0":
		return false
	}
	return true
}

// demandTLS keeps the system's users, who reach every database, from the rules for everybody as
// long as they come without TLS. A rule that names such a user and takes plain connections says
// that this is wanted.
func (m *member) demandTLS(rules []listedRule) []string {
	if !m.tls() {
		return nil
	}
	var lines []string
	for _, user := range []string{m.c.Param.PgReplicationUsername, m.c.Param.PgMonitorUsername, m.c.Param.PgAdminUsername} {
		if slices.ContainsFunc(rules, func(r listedRule) bool { return m.takesPlain(r, user) }) {
			continue
		}
		if user == m.c.Param.PgReplicationUsername {
			lines = append(lines, "hostnossl replication "+role(user)+" all reject")
		}
		lines = append(lines, "hostnossl all "+role(user)+" all reject")
	}
	return lines
}

// takesPlain tells whether a rule names the user and lets in connections without TLS.
func (m *member) takesPlain(rule listedRule, user string) bool {
	for _, line := range m.rules([]listedRule{rule}) {
		f := strings.Fields(line.Text)
		plain := len(f) > 3 && (f[0] == "host" || f[0] == "hostnossl") && f[len(f)-1] != "reject"
		if plain && slices.Contains(strings.Split(f[2], ","), role(user)) {
			return true
		}
	}
	return false
}

// peers are the private networks, and those members of the cluster and of the clusters that follow
// it that lie outside of them.
func (m *member) peers() []string {
	peers := slices.Clone(intranet)
	for _, c := range m.d.Pg {
		if c != m.c && (c.Upstream == nil || c.Upstream.Cluster != m.c) {
			continue
		}
		for _, i := range c.Instances {
			if network := network(i.Node.Addr); !inside(network, intranet) {
				peers = append(peers, network)
			}
		}
	}
	return peers
}

// password is the method that takes passwords as they are stored.
func (m *member) password() string {
	if m.c.Param.PgPwdEnc == "md5" {
		return "md5"
	}
	return "scram-sha-256"
}

// ofRole are the rules in use that hold for a role.
func ofRole(rules []listedRule, role string) []listedRule {
	return slices.DeleteFunc(slices.Clone(rules), func(r listedRule) bool { return r.Role != role || r.State == "absent" })
}

// rules writes rules as lines: raw ones as they are, structured ones expanded.
func (m *member) rules(rules []listedRule) []model.AccessLine {
	sorted := slices.Clone(rules)
	slices.SortStableFunc(sorted, func(a, b listedRule) int { return cmp.Compare(a.Order, b.Order) })
	var lines []model.AccessLine
	for _, r := range sorted {
		origin := r.variable
		if r.Title != "" {
			origin += ": " + r.Title
		}
		add := func(text string, item int) {
			lines = append(lines, model.AccessLine{Text: text, Origin: origin, Pos: m.c.RulePos(r.variable, r.index, item)})
		}
		if len(r.Rules) == 0 {
			for _, text := range m.expand(r.HbaRule) {
				add(text, -1)
			}
		}
		for n, line := range r.Rules {
			add(strings.TrimSpace(line), n)
		}
	}
	return lines
}

// AccessLines are the lines of an instance's access files, of PostgreSQL and of its pool.
func AccessLines(d *model.Deployment, i *model.PgInstance) (server, pool []model.AccessLine) {
	m := &member{d: d, c: i.Cluster, i: i, p: i.Param}
	return m.hba(), m.poolHBA()
}
