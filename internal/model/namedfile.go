package model

import (
	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
	"pigsty/internal/inventory"
)

// NamedFile is a file that the inventory names by its path on the controller.
type NamedFile struct {
	By    string // what names it: baseline, or a parameter
	Path  string // as the inventory gives it
	value inventory.Value
	node  *yaml.Node
}

// Pos is where the inventory names the file.
func (f NamedFile) Pos() diag.Pos { return f.value.NodePos(f.node) }

// Explain adds the line of the inventory to a problem at Pos.
func (f NamedFile) Explain(d *diag.Diagnostic) { f.value.Explain(d) }

// Baseline is what names the SQL file that a database is loaded from when it is created.
const Baseline = "baseline"

// NamedFiles lists the files that the inventory names, one entry for each time that one is named.
// Reading them is the caller's: see Deployment.Files.
func (d *Deployment) NamedFiles() []NamedFile {
	var files []NamedFile
	for _, m := range d.Metas {
		if path := m.Param.AlertmanagerConfig; path != "" {
			value := m.Node.Vars["alertmanager_config"]
			files = append(files, NamedFile{"alertmanager_config", path, value, value.Node})
		}
	}
	for _, c := range d.Pg {
		for _, i := range c.Instances {
			if path, own := i.Collectors(); own {
				value := i.Node.Vars["pg_exporter_config"]
				files = append(files, NamedFile{"pg_exporter_config", path, value, value.Node})
			}
		}
		value := c.Primary().Node.Vars["pg_databases"]
		for k, database := range c.Param.PgDatabases {
			if database.Baseline != "" && database.State != "absent" {
				files = append(files, NamedFile{Baseline, database.Baseline, value, member(value.Node, k, "baseline")})
			}
		}
	}
	return files
}

// member is the value under a key of the list's item at an index; nil when there is none.
func member(list *yaml.Node, index int, key string) *yaml.Node {
	if list == nil || list.Kind != yaml.SequenceNode || index >= len(list.Content) {
		return nil
	}
	item := list.Content[index]
	for k := 0; item.Kind == yaml.MappingNode && k+1 < len(item.Content); k += 2 {
		if item.Content[k].Value == key {
			return item.Content[k+1]
		}
	}
	return nil
}
