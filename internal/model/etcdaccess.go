package model

import (
	"encoding/hex"
	"strings"
)

// EtcdUser is the name under which the cluster's Patroni and vip-manager log in to etcd. No
// certificate may bear it, or "root", as its common name: over gRPC, etcd takes a client whose
// certificate does for that user, without a password.
func (c *PgCluster) EtcdUser() string { return c.Name }

// EtcdPassword is the password of EtcdUser: pg_etcd_password, or one of the cluster's own.
func (c *PgCluster) EtcdPassword(d *Deployment) string {
	if c.Param.PgEtcdPassword != "" {
		return c.Param.PgEtcdPassword
	}
	return hex.EncodeToString(d.Derive("etcd user", c.Name))[:32]
}

// EtcdPrefix is where the cluster's keys are; its user sees no others. It ends in a slash, and
// slashes around the namespace make no difference, as in Patroni.
func (c *PgCluster) EtcdPrefix() string {
	return "/" + strings.Trim(c.Param.PgNamespace, "/") + "/" + c.Name + "/"
}

// Keeper is the node on which the cluster's membership and users are looked after: the first
// whose member has data, or the first that is managed at all. It is nil when none is.
func (c *EtcdCluster) Keeper() *Node {
	var first *Node
	for _, m := range c.Members {
		switch {
		case m.Node == nil:
		case m.Node.Known && m.Node.Facts.EtcdData:
			return m.Node
		case first == nil || m.Node.Known && !first.Known:
			first = m.Node
		}
	}
	return first
}
