package param

// NodeAdmin is section NODE_ADMIN: the data directory and the administrator.
type NodeAdmin struct {
	NodeDataDir          string   `level:"cluster" default:"/data" kind:"path" help:"directory for the data of all services"`
	NodeAdminEnabled     bool     `level:"global" default:"true" help:"create an administrator who may use sudo without a password"`
	NodeAdminUid         int      `level:"global" default:"88" min:"1" max:"65533" help:"user and group id of the administrator"`
	NodeAdminUsername    string   `level:"global" default:"dba" kind:"user" help:"name of the administrator"`
	NodeAdminSshExchange bool     `level:"cluster" default:"true" help:"let the administrator go from any node to any other by SSH"`
	NodeAdminPkCurrent   bool     `level:"argument" default:"true" help:"let the key of whoever runs pigsty log in as the administrator"`
	NodeAdminPkList      []string `level:"cluster" default:"[]" kind:"pubkey" help:"public keys that may log in as the administrator"`
}
