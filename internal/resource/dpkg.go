package resource

// dpkgEntry is one installed package as dpkg's status file tells it.
type dpkgEntry struct {
	version string
}
