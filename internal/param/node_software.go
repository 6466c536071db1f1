package param

// NodeSoftware is section NODE_PACKAGES. Entries name what is wanted; several may share an
// entry, separated by blanks or commas. The names of v1.5's RPM packages are understood.
type NodeSoftware struct {
	NodePackagesDefault []string `level:"cluster" default:"[chrony tuned lz4 rsync jq, lsof sysstat ca-certificates curl, acl cron sudo socat unzip]" help:"packages of every node"`
	NodePackages        []string `level:"cluster" default:"[]" help:"further packages of a node"`
	NodePackagesMeta    []string `level:"global" default:"[]" help:"further packages of infrastructure nodes"`
	NodePackagesMetaPip string   `level:"global" default:"''" help:"Python packages of infrastructure nodes"`
}
