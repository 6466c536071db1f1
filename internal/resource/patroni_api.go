package resource

// PatroniAPI says how to reach the REST API of a Patroni member. The same credentials serve
// every member of the cluster.
type PatroniAPI struct {
	URL string `json:"url"` // such as "https://10.10.10.11:8008"
	// CA, Cert and Key are PEM files on the node: the authority that signed the servers'
	// certificates (empty = those the system trusts), and a client certificate with its key
	// where the API asks for one.
	CA   string `json:"ca,omitempty"`
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
	// User and Password are those of restapi.authentication; reading needs none.
	User     string `json:"user,omitempty"`
	Password string `json:"password,omitempty"` // secret: never shown
}
