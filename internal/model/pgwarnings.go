package model

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/distro"
	"pigsty/internal/inventory"
	"pigsty/internal/param"
)

// warnCluster tells of settings that are understood and will not do what they seem to.
func (b *builder) warnCluster(c *PgCluster) {
	b.warnUpstreams(c)
	b.warnDelays(c)
	b.warnParameters(c)
	b.warnLibraries(c)
	b.warnServices(c)
	b.warnPoolRules(c, "pgbouncer_hba_rules", c.Param.PgbouncerHbaRules)
	b.warnPoolRules(c, "pgbouncer_hba_rules_extra", c.Param.PgbouncerHbaRulesExtra)
}

// warnUpstreams tells of replicas that are to copy from a server that is none of their cluster's:
// Patroni knows members alone. A standby cluster's own upstream may be set for all its members.
func (b *builder) warnUpstreams(c *PgCluster) {
	for _, i := range c.Instances {
		upstream := i.Param.PgUpstream
		member := slices.ContainsFunc(c.Instances, func(o *PgInstance) bool { return o != i && o.Node.Addr == upstream })
		switch {
		case upstream == "":
		case i.Role == RolePrimary && (member || upstream == i.Node.Addr):
			b.problems.Warnf(at(i.Node, "pg_upstream"), "pg_upstream of %s, the primary, is a member of its own cluster and is ignored", i.Name).
				Hint = "a primary's pg_upstream founds a standby cluster of another cluster: remove it, or set it for a replica"
		case i.Role != RolePrimary && !member && upstream != c.Param.PgUpstream:
			b.problems.Warnf(at(i.Node, "pg_upstream"), "pg_upstream %s of %s is no member of cluster %s: the leader is copied from instead", upstream, i.Name, c.Name).
				Hint = "give the address of another member, as it stands in the inventory"
		}
	}
}

// warnDelays tells of delays that are missing or do nothing.
func (b *builder) warnDelays(c *PgCluster) {
	for _, i := range c.Instances {
		switch {
		case i.Role == RoleDelayed && i.Delay() == "":
			b.problems.Warnf(at(i.Node, "pg_role"), "%s has pg_role delayed and no pg_delay: it stays behind by nothing", i.Name).
				Hint = "set pg_delay for it, such as 1h"
		case i.Role == RolePrimary && c.Param.PgUpstream == "" && !zeroDelay(c.Param.PgDelay):
			b.problems.Warnf(at(i.Node, "pg_delay"), "pg_delay does nothing for %s, the primary of a cluster that follows nobody", i.Name).
				Hint = "set it for replicas, or pg_upstream with it for a delayed standby cluster"
		}
	}
}

// clusterParameters are the settings that Patroni takes from the cluster's configuration alone,
// since members must agree on them, or would not after a failover.
var clusterParameters = []string{
	"max_connections", "max_locks_per_transaction", "max_prepared_transactions", "max_replication_slots",
	"max_wal_senders", "max_worker_processes", "track_commit_timestamp", "wal_keep_segments", "wal_keep_size",
	"wal_level", "wal_log_hints",
}

// patroniParameters are the settings that Patroni itself makes, and the parameter here that each
// follows from.
var patroniParameters = map[string]string{
	"cluster_name": "pg_cluster", "hot_standby": "", "listen_addresses": "pg_listen", "port": "pg_port",
}

func (b *builder) warnParameters(c *PgCluster) {
	for _, i := range c.Instances {
		value, given := i.Node.Vars["pg_parameters"]
		if !given || value.Node.Kind != yaml.MappingNode {
			continue
		}
		for k := 0; k+1 < len(value.Node.Content); k += 2 {
			key := value.Node.Content[k]
			name := strings.ToLower(key.Value)
			source, ofPatroni := patroniParameters[name]
			switch {
			case ofPatroni:
				hint := "remove it"
				if source != "" {
					hint = "set " + source + " instead"
				}
				b.problems.Warnf(value.NodePos(key), "Patroni sets %s itself and ignores this one", name).Hint = hint
			case value.Level == inventory.LevelHost && slices.Contains(clusterParameters, name):
				b.problems.Warnf(value.NodePos(key), "%s is ignored for one instance: Patroni takes it for the whole cluster only", name).
					Hint = "set it in pg_parameters of group " + c.Name
			}
		}
	}
}

// warnLibraries tells of libraries to be loaded at the start that no package seems to bring: a
// server that misses one does not start. What the distribution packages is installed unasked;
// another package is named after what it brings, so that the library's name without the prefix pg_
// has to be part of one.
func (b *builder) warnLibraries(c *PgCluster) {
	pos := at(c.Primary().Node, "pg_libs")
	packages, _ := distro.Packages(0, slices.Concat(c.Param.PgPackages, c.Param.PgExtensions), c.Param.PgVersion)
	known := distro.Extensions(c.Primary().Node.Facts.Release)
	for _, library := range c.listedLibraries() {
		stem := strings.ReplaceAll(strings.TrimPrefix(library, "pg_"), "_", "-")
		brings := func(name string) bool { return strings.Contains(strings.ReplaceAll(name, "_", "-"), stem) }
		own, packaged := known.Libraries[library]
		if packaged && (own == "" || c.Primary().Catalogue() != nil) || strings.Contains(library, "/") || slices.ContainsFunc(packages, brings) {
			continue
		}
		b.problems.Warnf(pos, "pg_libs of cluster %s loads %s, and no package brings it by its name", c.Name, library).
			Hint = "PostgreSQL does not start without it: list its package in pg_extensions, or remove it from pg_libs"
	}
}

// syncWords are what replication is called in each mode.
var syncWords = map[string]string{SyncOff: "asynchronous", SyncOn: "synchronous", SyncQuorum: "by quorum"}

// warnServices tells of services that lead nowhere.
func (b *builder) warnServices(c *PgCluster) {
	for _, s := range c.Services {
		variable := "pg_services"
		if slices.ContainsFunc(c.Param.PgServicesExtra, func(p param.Service) bool { return p.SrcPort == s.Port }) {
			variable = "pg_services_extra"
		}
		pos := at(c.Primary().Node, variable)
		if pos == c.Primary().Node.Pos {
			pos = at(c.Primary().Node, "pgbouncer_enabled")
		}
		if s.Param.DstPort == "pgbouncer" && !c.Param.PgbouncerEnabled && c.Param.HaproxyEnabled {
			b.problems.Warnf(pos, "service %s leads to pgBouncer, which is switched off", s.Name).Hint = "give it dst_port: postgres"
		}
		path, _, _ := strings.Cut(s.Check.Path, "?")
		if s.Check.Port != c.Param.PatroniPort || slices.ContainsFunc(s.Servers, func(to ServiceServer) bool { return to.Leads }) {
			continue
		}
		switch mode := c.Synchronous().Mode; path {
		case "/sync", "/synchronous":
			if mode != SyncOn {
				b.problems.Warnf(pos, "service %s leads nowhere: %s asks for a synchronous standby, and replication is %s", s.Name, path, syncWords[mode]).
					Hint = "give it the primary as backup (selector_backup: \"[? pg_role == 'primary']\"), or use pg_conf: crit.yml"
			}
		case "/quorum":
			if mode != SyncQuorum {
				b.problems.Warnf(pos, "service %s leads nowhere: %s asks for a standby of a quorum, and replication is %s", s.Name, path, syncWords[mode]).
					Hint = "use check_url: /read-only, or pg_sync_mode: quorum"
			}
		}
	}
}

// warnPoolRules tells of access rules for the members of a role: pgBouncer knows no roles and takes
// the name for a user's.
func (b *builder) warnPoolRules(c *PgCluster, variable string, rules []param.HbaRule) {
	value, given := c.Primary().Node.Vars[variable]
	if !given || value.Node.Kind != yaml.SequenceNode {
		return
	}
	for k, rule := range rules {
		if k >= len(value.Node.Content) {
			return
		}
		if group := groupIn(rule); group != "" {
			b.problems.Warnf(value.NodePos(value.Node.Content[k]), "pgBouncer knows no roles: the rule for %s matches nobody", group).
				Hint = "name the users, or all: who may log in to PostgreSQL is for pg_hba_rules to say"
		}
	}
}

// groupIn is the first +role that a rule of pgBouncer's is for; empty when it is for users.
func groupIn(rule param.HbaRule) string {
	users := []string{}
	if len(rule.Rules) == 0 {
		users = append(users, rule.User)
	}
	for _, line := range rule.Rules {
		if fields := strings.Fields(line); len(fields) > 2 && !strings.HasPrefix(fields[0], "#") {
			users = append(users, fields[2])
		}
	}
	for _, list := range users {
		for user := range strings.SplitSeq(list, ",") {
			if user = strings.TrimSpace(user); strings.HasPrefix(user, "+") {
				return user
			}
		}
	}
	return ""
}
