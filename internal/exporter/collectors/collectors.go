// Package collectors holds the collectors that ship with the exporter, in the format that users'
// own are written in.
package collectors

import (
	"embed"

	"pigsty/internal/exporter/collector"
)

//go:embed *.yml preset/*.yml
var files embed.FS

// What stands for shipped collectors in a list of collector files.
const (
	Builtin = "builtin" // all of them
	Basic   = "basic"   // without those of tables, indexes, functions and sequences
	Fast    = "fast"    // with results kept for a second where it is ten otherwise
)

// Source gives all shipped collectors.
func Source() collector.Source {
	return collector.Source{FS: files, Path: ".", Shown: Builtin, Builtin: true}
}

// Named gives what a name stands for; nothing when it is none of those above.
func Named(name string) []collector.Source {
	switch name {
	case Builtin:
		return []collector.Source{Source()}
	case Basic, Fast:
		return []collector.Source{Source(), {FS: files, Path: "preset/" + name + ".yml", Shown: name, Builtin: true}}
	}
	return nil
}
