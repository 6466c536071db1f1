package param

// NodeIdentity is section NODE_IDENTITY.
type NodeIdentity struct {
	MetaNode          bool   `level:"cluster" default:"false" help:"the node carries the infrastructure"`
	Nodename          string `level:"instance" kind:"host" alone:"host" help:"name of the node; empty takes <pg_cluster>-<pg_seq> or keeps the host name"`
	NodeCluster       string `level:"cluster" default:"nodes" kind:"name" help:"name of the group of nodes in monitoring"`
	NodenameOverwrite bool   `level:"cluster" default:"true" help:"set the machine's host name to nodename"`
	NodenameExchange  bool   `level:"cluster" default:"false" help:"write the names of all nodes into each other's /etc/hosts"`
}
