// Package inspect holds what an instance, its pool and its balancer say of what is in them: roles,
// databases, access rules, extensions, servers behind services. It looks and changes nothing, and
// nothing is compiled from it.
package inspect

import (
	"time"

	"pigsty/internal/hba"
	"pigsty/internal/resource/postgres"
)

// Query names what to look at on a node.
type Query struct {
	Conn       postgres.Conn `json:"conn"`
	Roles      bool          `json:"roles,omitempty"`
	Databases  bool          `json:"databases,omitempty"`
	Rules      bool          `json:"rules,omitempty"`
	Extensions bool          `json:"extensions,omitempty"`
	// Pool is the port of pgBouncer on the same socket folder, 0 where there is none; PoolRules its
	// file of access rules.
	Pool      int    `json:"pool,omitempty"`
	PoolRules string `json:"pool_rules,omitempty"`
	// Stats is HAProxy's socket; empty = do not ask.
	Stats string `json:"stats,omitempty"`
}

// Instance is what a node answers. Each Error says why a part is missing.
type Instance struct {
	Error     string     `json:"error,omitempty"` // of PostgreSQL
	Version   int        `json:"version,omitempty"`
	Replica   bool       `json:"replica,omitempty"` // it is in recovery
	Roles     []Role     `json:"roles,omitempty"`
	Databases []Database `json:"databases,omitempty"`
	Rules     []hba.Rule `json:"rules,omitempty"`
	// RulesChanged says that the file is newer than what the server has loaded of it.
	RulesChanged bool        `json:"rules_changed,omitempty"`
	Networks     []string    `json:"networks,omitempty"`  // of the node's interfaces, with Rules
	Libraries    []string    `json:"libraries,omitempty"` // that the server has loaded at its start, with Extensions
	Available    []Available `json:"available,omitempty"`
	Pool         *Pool       `json:"pool,omitempty"`
	Servers      []Server    `json:"servers,omitempty"`
	ServersError string      `json:"servers_error,omitempty"`
}

// Role is a role of the cluster. Passwords stay where they are.
type Role struct {
	Name        string            `json:"name"`
	Login       bool              `json:"login"`
	Superuser   bool              `json:"superuser,omitempty"`
	CreateDB    bool              `json:"createdb,omitempty"`
	CreateRole  bool              `json:"createrole,omitempty"`
	Replication bool              `json:"replication,omitempty"`
	BypassRLS   bool              `json:"bypassrls,omitempty"`
	Inherit     bool              `json:"inherit"`
	Roles       []string          `json:"roles,omitempty"` // that it is directly a member of
	Expires     *time.Time        `json:"expires,omitempty"`
	ConnLimit   int               `json:"connlimit"` // -1 = none
	Sessions    int               `json:"sessions"`
	Parameters  map[string]string `json:"parameters,omitempty"`
	Comment     string            `json:"comment,omitempty"`
}

// Database is a database of the cluster.
type Database struct {
	Name       string `json:"name"`
	Owner      string `json:"owner"`
	Size       int64  `json:"size"` // bytes
	Encoding   string `json:"encoding"`
	Collate    string `json:"collate"`
	Ctype      string `json:"ctype"`
	Tablespace string `json:"tablespace"`
	Template   bool   `json:"template,omitempty"`
	AllowConn  bool   `json:"allowconn"`
	ConnLimit  int    `json:"connlimit"` // -1 = none
	Sessions   int    `json:"sessions"`
	// Age is how many transactions ago its oldest unfrozen one began, of the two thousand million
	// there may be.
	Age        int64     `json:"xid_age"`
	Comment    string    `json:"comment,omitempty"`
	Extensions []Created `json:"extensions,omitempty"`
	// Error is why what lies in it could not be looked at.
	Error string `json:"error,omitempty"`
}

// Created is an extension that has been created in a database.
type Created struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Schema  string `json:"schema"`
	// Update is the newer version that ALTER EXTENSION can bring it to; empty when there is none.
	Update string `json:"update,omitempty"`
}

// Available is an extension whose files lie on the node.
type Available struct {
	Name    string `json:"name"`
	Version string `json:"version"` // that CREATE EXTENSION gives
}

// Pool is what pgBouncer says.
type Pool struct {
	Error     string         `json:"error,omitempty"`
	Users     []string       `json:"users,omitempty"`
	Databases []PoolDatabase `json:"databases,omitempty"`
	Rules     []hba.Rule     `json:"rules,omitempty"`
}

// PoolDatabase is a database that the pool serves.
type PoolDatabase struct {
	Name     string `json:"name"`
	Mode     string `json:"pool_mode,omitempty"`
	Sessions int    `json:"sessions"` // with the server
}

// Server is a server behind a service, as the HAProxy of one member sees it.
type Server struct {
	Service  string `json:"service"`
	Server   string `json:"server"`
	Status   string `json:"status"` // up, down, maint, drain, no check …
	Backup   bool   `json:"backup,omitempty"`
	Weight   int    `json:"weight"`
	Sessions int    `json:"sessions"`
	Check    string `json:"check,omitempty"` // the last check's answer, such as "L7OK 200"
	Since    int    `json:"since"`           // seconds in this status
}
