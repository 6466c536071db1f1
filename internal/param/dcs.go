package param

// Dcs describes the distributed configuration store that elects each cluster's leader.
type Dcs struct {
	DcsCommon `section:"DCS" module:"INFRA"`
	Consul    `section:"CONSUL" module:"INFRA"`
	Etcd      `section:"ETCD" module:"INFRA"`
}

// DcsCommon is section DCS.
type DcsCommon struct {
	DcsName      string            `level:"global" default:"pigsty" kind:"name" help:"name of the store: Consul's datacenter, etcd's cluster token"`
	DcsServers   map[string]string `level:"global" default:"{}" kind:"ip" help:"members of the store, name to address"`
	DcsRegistry  string            `level:"global" default:"none" oneof:"none consul etcd both" help:"where services are registered for discovery"`
	DcsSafeguard bool              `level:"cluster" default:"true" help:"refuse to remove a running member of the store"`
	DcsClean     bool              `level:"cluster" default:"false" help:"let a removal delete the store's data at once (--now) instead of setting them aside"`
}

// Consul is section CONSUL.
type Consul struct {
	ConsulEnabled bool   `level:"global" default:"true" help:"run Consul where pg_dcs_type or dcs_registry asks for it"`
	ConsulDataDir string `level:"global" default:"/data/consul" kind:"path" help:"data directory of Consul"`
}

// Etcd is section ETCD. Members are those of dcs_servers.
type Etcd struct {
	EtcdEnabled      bool   `level:"global" default:"true" help:"run etcd on the members of dcs_servers where pg_dcs_type asks for it"`
	EtcdDataDir      string `level:"global" default:"/data/etcd" kind:"path" help:"data directory of etcd"`
	EtcdRootPassword string `level:"global" secret:"generate" help:"password of etcd's user root"`
}
