package controller

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"pigsty/internal/hba"
	"pigsty/internal/inspect"
	"pigsty/internal/model"
	"pigsty/internal/module"
)

// Rules are the access rules of an instance and of its pool, in the order in which they are tried.
type Rules struct {
	Cluster  string   `json:"cluster"`
	Instance string   `json:"instance"`
	Replica  bool     `json:"replica,omitempty"`
	Server   []Rule   `json:"server"`
	Pool     []Rule   `json:"pool,omitempty"`
	Missing  []Rule   `json:"missing,omitempty"` // of the inventory, and in neither file
	Notes    []string `json:"notes,omitempty"`

	roles    []inspect.Role
	networks []netip.Prefix
}

// Rule is a line and where it comes from.
type Rule struct {
	hba.Rule
	// Origin is the parameter, with the rule's title, or what pigsty has it for; empty for a line that
	// the inventory does not have.
	Origin string `json:"origin,omitempty"`
	Place  string `json:"place,omitempty"` // file:line:column
}

// Rules asks an instance, or a cluster's leader, for the access rules in force.
func (s *Site) Rules(ctx context.Context, name string, dial Dialer) (*Rules, error) {
	all, err := s.inspect(ctx, name, dial, func(_ *model.PgInstance, q *inspect.Query) {
		q.Rules, q.Roles, q.PoolRules = true, true, poolRules
	})
	if err != nil {
		return nil, err
	}
	i, answer, err := all.leader()
	if name != all.cluster.Name {
		i, answer, err = all.named(name)
	}
	if err != nil {
		return nil, err
	}
	server, pool := module.AccessLines(s.Deployment, i)
	r := &Rules{Cluster: all.cluster.Name, Instance: i.Name, Replica: answer.Replica, roles: answer.Roles}
	r.Server = r.trace(answer.Rules, server)
	if answer.Pool != nil {
		r.Pool = r.trace(answer.Pool.Rules, pool)
	}
	for _, text := range answer.Networks {
		if p, err := netip.ParsePrefix(text); err == nil {
			r.networks = append(r.networks, p)
		}
	}
	r.Notes = all.notes
	r.note(s, all, answer)
	return r, nil
}

// named is the answer of one instance.
func (c *contents) named(name string) (*model.PgInstance, *inspect.Instance, error) {
	n := slices.IndexFunc(c.cluster.Instances, func(i *model.PgInstance) bool { return i.Name == name })
	if answer := c.answers[name]; n >= 0 && answer != nil && answer.Error == "" {
		return c.cluster.Instances[n], answer, nil
	}
	return nil, nil, fmt.Errorf("%s cannot be asked:%s", name, joinNotes(c.notes))
}

// trace says of each line in force where the inventory has it. Lines are the same when their words
// are; those that the inventory has and the file has not are missing.
func (r *Rules) trace(inForce []hba.Rule, wanted []model.AccessLine) []Rule {
	left := slices.Clone(wanted)
	rules := make([]Rule, 0, len(inForce))
	for _, have := range inForce {
		rule := Rule{Rule: have}
		n := slices.IndexFunc(left, func(w model.AccessLine) bool { return words(w.Text) == words(have.Text) })
		if n >= 0 {
			rule.Origin, rule.Place = left[n].Origin, place(left[n].Pos)
			left = slices.Delete(left, n, n+1)
		}
		rules = append(rules, rule)
	}
	for _, w := range left {
		if parsed := hba.Parse(w.Text); len(parsed) > 0 { // else a comment
			r.Missing = append(r.Missing, Rule{Rule: parsed[0], Origin: w.Origin, Place: place(w.Pos)})
		}
	}
	return rules
}

// words is a line without what does not matter in it.
func words(line string) string {
	line, _, _ = strings.Cut(line, "#")
	return strings.Join(strings.Fields(line), " ")
}

// note tells of what the rules alone do not.
func (r *Rules) note(s *Site, all *contents, answer *inspect.Instance) {
	if answer.RulesChanged {
		r.Notes = append(r.Notes, fmt.Sprintf("the file is newer than what PostgreSQL has loaded of it: pigsty pg reload %s", r.Instance))
	}
	for _, rule := range r.Server {
		if rule.Error != "" {
			r.Notes = append(r.Notes, fmt.Sprintf("line %d cannot be read, so PostgreSQL goes on with the rules it loaded before: %s", rule.Line, rule.Error))
		}
	}
	if len(r.Missing) > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("rules of the inventory are not in force: pigsty pg hba apply %s", r.Cluster))
	}
	own := all.cluster.Instances[slices.IndexFunc(all.cluster.Instances, func(i *model.PgInstance) bool { return i.Name == r.Instance })]
	mine, _ := module.AccessLines(s.Deployment, own)
	var others []string
	for _, i := range all.cluster.Instances {
		if theirs, _ := module.AccessLines(s.Deployment, i); !slices.Equal(theirs, mine) {
			others = append(others, i.Name)
		}
	}
	if len(others) > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%s has other rules, by its role: name it in place of the cluster", strings.Join(others, ", ")))
	}
}

// Login is somebody who wants in, as a command line says it.
type Login struct {
	User     string `json:"user"`
	Database string `json:"db"`   // or replication
	Addr     string `json:"addr"` // an address, or local for the Unix socket
	TLS      bool   `json:"ssl"`
	Pool     bool   `json:"pool"` // by way of pgBouncer
}

// Verdict is what becomes of a login before anybody asks for a password.
type Verdict struct {
	Login
	Instance string `json:"instance"`
	// Rule decides; nil when none matches, which refuses.
	Rule    *Rule    `json:"rule,omitempty"`
	Refused bool     `json:"refused"`
	Means   string   `json:"means"` // what happens, in a sentence
	Notes   []string `json:"notes,omitempty"`
}

// Decide says which rule decides about a login.
func (r *Rules) Decide(l Login) (*Verdict, error) {
	rules := r.Server
	if l.Pool {
		rules = r.Pool
	}
	client := hba.Client{User: l.User, Database: l.Database, TLS: l.TLS, Roles: r.memberships(l.User), Host: r.networks}
	if l.Addr != "local" {
		addr, err := netip.ParseAddr(l.Addr)
		if err != nil {
			return nil, fmt.Errorf("address %q is neither an IP address nor local", l.Addr)
		}
		client.Addr = addr
	}
	if l.TLS && l.Addr == "local" {
		return nil, errors.New("a Unix socket has no TLS: leave --ssl out, or name an address")
	}
	plain := make([]hba.Rule, len(rules))
	for n, rule := range rules {
		plain[n] = rule.Rule
	}
	decided := hba.Decide(plain, client)
	v := &Verdict{Login: l, Instance: r.Instance}
	for _, u := range decided.Unsure {
		v.Notes = append(v.Notes, fmt.Sprintf("line %d before it is for %s, which only the server can look up", u.Line, u.Address))
	}
	if !slices.ContainsFunc(r.roles, func(o inspect.Role) bool { return o.Name == l.User && o.Login }) {
		v.Notes = append(v.Notes, fmt.Sprintf("no role %s may log in, so the login fails whatever the rule says", l.User))
	}
	if decided.Rule == nil {
		v.Refused, v.Means = true, "no rule is for it, so it is refused"
		return v, nil
	}
	n := slices.IndexFunc(plain, func(o hba.Rule) bool { return o.Line == decided.Rule.Line && o.File == decided.Rule.File })
	v.Rule = &rules[n]
	v.Refused, v.Means = decided.Rule.Method == "reject", meaning(decided.Rule.Method)
	return v, nil
}

// meaning says what a method does.
func meaning(method string) string {
	switch method {
	case "reject":
		return "it is refused"
	case "trust":
		return "it is let in without being asked for anything"
	case "scram-sha-256", "md5", "password", "ldap", "radius", "pam", "bsd":
		return "it is asked for a password (" + method + ")"
	case "peer", "ident":
		return "it is let in when the operating system's user has that name (" + method + ")"
	case "cert":
		return "it is let in with a client certificate of that name (cert)"
	}
	return "it has to prove itself by " + method
}

// memberships are the roles that a user belongs to, directly or by others.
func (r *Rules) memberships(user string) []string {
	var all []string
	var visit func(string)
	visit = func(name string) {
		for _, role := range r.roles {
			if role.Name != name {
				continue
			}
			for _, above := range role.Roles {
				if !slices.Contains(all, above) {
					all = append(all, above)
					visit(above)
				}
			}
		}
	}
	visit(user)
	return all
}
