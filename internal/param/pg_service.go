package param

// PgService is section PG_SERVICE: how clients reach a cluster.
type PgService struct {
	PgServices           []Service `level:"cluster" help:"services of every cluster"`
	HaproxyEnabled       bool      `level:"cluster" default:"true" help:"run HAProxy on the node"`
	HaproxyReload        bool      `level:"argument" default:"true" help:"reload HAProxy after its configuration changes"`
	HaproxyAuthEnabled   bool      `level:"cluster" default:"true" help:"ask for a password on HAProxy's admin page"`
	HaproxyAdminUsername string    `level:"global" default:"admin" help:"user of HAProxy's admin page"`
	HaproxyAdminPassword string    `level:"global" secret:"generate" help:"password of HAProxy's admin page"`
	HaproxyExporterPort  int       `level:"cluster" default:"9101" kind:"port" help:"port of HAProxy's admin page and metrics"`
	HaproxyClientTimeout string    `level:"cluster" default:"24h" kind:"interval" help:"how long a client may be idle"`
	HaproxyServerTimeout string    `level:"cluster" default:"24h" kind:"interval" help:"how long a server may be idle"`
	VipMode              string    `level:"cluster" default:"none" oneof:"none l2 l4" help:"virtual address that follows the leader; l4 needs a balancer of your own"`
	VipReload            bool      `level:"argument" default:"true" help:"restart vip-manager after its configuration changes"`
	VipAddress           string    `level:"cluster" default:"127.0.0.1" kind:"ip" help:"the virtual address; needed unless vip_mode is none"`
	VipCidrmask          int       `level:"cluster" default:"24" min:"1" max:"128" help:"length of the virtual address's network mask, in bits"`
	VipInterface         string    `level:"cluster" default:"''" kind:"interface" help:"network interface of the virtual address; empty finds the one that has the node's address"`
	DnsMode              string    `level:"cluster" default:"vip" oneof:"vip all selector" help:"address that the cluster's DNS name stands for"`
	DnsSelector          string    `level:"cluster" default:"'[]'" kind:"jmespath" help:"members that the DNS name stands for, when dns_mode is selector"`
}
