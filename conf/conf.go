// Package conf holds the ready inventories that come with pigsty.
package conf

import "embed"

// Files are the inventories by file name, such as "single.yml".
//
//go:embed *.yml
var Files embed.FS
