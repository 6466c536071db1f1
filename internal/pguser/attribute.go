// Package pguser knows the attributes of a PostgreSQL role that are on or off: how the inventory
// writes them, where the catalog keeps them, and how a statement sets them. All else follows from
// that: parameters, their documentation, what is compared and what is changed.
package pguser

// Attributes are a role's, as the inventory and the catalog have them. The tags are those of
// package param.
type Attributes struct {
	Login       bool `default:"true" help:"may log in" json:"login,omitempty"`
	Superuser   bool `default:"false" help:"bypasses every check" json:"superuser,omitempty"`
	Createdb    bool `default:"false" help:"may create databases" json:"createdb,omitempty"`
	Createrole  bool `default:"false" help:"may create roles" json:"createrole,omitempty"`
	Inherit     bool `default:"true" help:"has the rights of its roles without SET ROLE" json:"inherit,omitempty"`
	Replication bool `default:"false" help:"may replicate" json:"replication,omitempty"`
	Bypassrls   bool `default:"false" help:"ignores row level security" json:"bypassrls,omitempty"`
}

// Attribute is one of them.
type Attribute struct {
	Name    string // in plans
	Keyword string // in CREATE ROLE; with NO before it the attribute is off
	Column  string // of pg_authid
	// Implied is true of what a superuser may do anyway: it is not taken from one.
	Implied bool
	// In is its place among a role's attributes.
	In func(*Attributes) *bool
}

// All lists the attributes in the order in which they are set.
var All = []Attribute{
	{"login", "LOGIN", "rolcanlogin", false, func(a *Attributes) *bool { return &a.Login }},
	{"superuser", "SUPERUSER", "rolsuper", false, func(a *Attributes) *bool { return &a.Superuser }},
	{"createdb", "CREATEDB", "rolcreatedb", true, func(a *Attributes) *bool { return &a.Createdb }},
	{"createrole", "CREATEROLE", "rolcreaterole", true, func(a *Attributes) *bool { return &a.Createrole }},
	{"inherit", "INHERIT", "rolinherit", false, func(a *Attributes) *bool { return &a.Inherit }},
	{"replication", "REPLICATION", "rolreplication", true, func(a *Attributes) *bool { return &a.Replication }},
	{"bypassrls", "BYPASSRLS", "rolbypassrls", true, func(a *Attributes) *bool { return &a.Bypassrls }},
}
