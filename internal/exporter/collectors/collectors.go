// Package collectors holds the collectors that ship with the exporter, in the format that users'
// own are written in.
package collectors

import (
	"embed"

	"pigsty/internal/exporter/collector"
)

//go:embed *.yml
var files embed.FS

// Builtin is what `builtin` stands for in a list of collector files.
const Builtin = "builtin"

// Source gives the shipped collectors.
func Source() collector.Source {
	return collector.Source{FS: files, Path: ".", Shown: Builtin, Builtin: true}
}
