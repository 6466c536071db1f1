// Package fact holds what a node says of itself before anything is decided: its system, size
// and addresses, and how far its services have come. Facts and the inventory are the only
// inputs of a compile, so facts hold nothing that changes from one second to the next.
package fact

// Query names what to look at; the paths come from the inventory.
type Query struct {
	PgData      string `json:"pg_data,omitempty"`       // PostgreSQL's data directory
	EtcdDataDir string `json:"etcd_data_dir,omitempty"` // etcd's data directory
	PatroniPort int    `json:"patroni_port,omitempty"`  // Patroni's REST API on this node
	DataDir     string `json:"data_dir,omitempty"`      // the disk whose size counts
}

// Node is what a node says of itself.
type Node struct {
	Hostname  string    `json:"hostname"`
	OS        string    `json:"os"`       // ID of /etc/os-release, such as "debian"
	Release   int       `json:"release"`  // major version, such as 13
	Codename  string    `json:"codename"` // such as "trixie"
	Arch      string    `json:"arch"`     // Go's name, such as "amd64"
	CPUs      int       `json:"cpus"`
	Memory    int64     `json:"memory"`    // bytes
	Disk      int64     `json:"disk"`      // bytes of the file system that holds DataDir
	Container bool      `json:"container"` // kernel settings cannot be changed from here
	Addresses []Address `json:"addresses"`
	Timezone  string    `json:"timezone"`

	// EtcdData is true when etcd has a data directory here: it has been a member before.
	EtcdData bool `json:"etcd_data,omitempty"`
	// PgData is true when a PostgreSQL data directory exists here.
	PgData bool `json:"pg_data,omitempty"`
	// Patroni is what Patroni's REST API says; nil when nothing answers.
	Patroni *Patroni `json:"patroni,omitempty"`
}

// Address is one network address of the node and the interface that has it.
type Address struct {
	Interface string `json:"interface"`
	Prefix    string `json:"prefix"` // such as "10.10.10.11/24"
}

// Patroni is a member's own view of its cluster.
type Patroni struct {
	Role     string `json:"role"`     // primary, replica, standby_leader …
	State    string `json:"state"`    // running, starting, stopped …
	Timeline int    `json:"timeline"` // 0 when unknown
	Leader   string `json:"leader"`   // the member that holds the leader key; empty when none
	Version  string `json:"version"`  // Patroni's own, such as "4.0.5"
}
