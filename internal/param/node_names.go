package param

// NodeNames is section NODE_DNS: how a node finds other names.
type NodeNames struct {
	NodeEtcHostsDefault []string `level:"cluster" default:"[]" kind:"hosts" help:"lines for every node's /etc/hosts: address and names"`
	NodeEtcHosts        []string `level:"cluster" default:"[]" kind:"hosts" help:"further lines for /etc/hosts"`
	NodeDnsMethod       string   `level:"cluster" default:"none" oneof:"add none overwrite" help:"put node_dns_servers before the existing resolvers, leave them alone, or replace them"`
	NodeDnsServers      []string `level:"cluster" default:"[]" kind:"ip" help:"addresses of DNS servers"`
	NodeDnsOptions      []string `level:"cluster" default:"[options single-request-reopen timeout:1 rotate]" help:"further lines for /etc/resolv.conf"`
}
