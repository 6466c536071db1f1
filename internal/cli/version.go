package cli

import "cmp"

// version is set by the linker: make build asks git for it.
var version string

// versionString is what this build calls itself; one made without make is a "devel".
func versionString() string { return cmp.Or(version, "devel") }
