package model

import (
	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
	"pigsty/internal/inventory"
)

// BaselineFile is an SQL file that a database of the inventory is to be loaded from when it is
// created.
type BaselineFile struct {
	Path  string // as the inventory gives it
	value inventory.Value
	node  *yaml.Node
}

// Pos is where the inventory names the file.
func (f BaselineFile) Pos() diag.Pos { return f.value.NodePos(f.node) }

// Explain adds the line of the inventory to a problem at Pos.
func (f BaselineFile) Explain(d *diag.Diagnostic) { f.value.Explain(d) }

// BaselineFiles lists the files that the databases of all clusters name, one entry for each time
// that one is named. Reading them is the caller's: see Deployment.Baselines.
func (d *Deployment) BaselineFiles() []BaselineFile {
	var files []BaselineFile
	for _, c := range d.Pg {
		value := c.Primary().Node.Vars["pg_databases"]
		for k, database := range c.Param.PgDatabases {
			if database.Baseline != "" && database.State != "absent" {
				files = append(files, BaselineFile{database.Baseline, value, member(value.Node, k, "baseline")})
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
