package model

import (
	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
	"pigsty/internal/inventory"
)

// EntryPos is where a list parameter of the cluster has the entry of a name: the parameter itself
// where it cannot be told, and the zero Pos where the inventory does not give it.
func (c *PgCluster) EntryPos(variable, name string) diag.Pos {
	value := c.Primary().Node.Vars[variable]
	if entry := namedEntry(value, name); entry != nil {
		return value.NodePos(entry)
	}
	return value.Pos
}

// DatabasePos is where pg_databases lists a database, or else the cluster.
func (c *PgCluster) DatabasePos(database string) diag.Pos {
	if pos := c.EntryPos("pg_databases", database); pos.Line != 0 {
		return pos
	}
	return c.Primary().Node.Pos
}

// ExtensionPos is where the inventory lists an extension of a database, or else the database.
func (c *PgCluster) ExtensionPos(e DeclaredExtension) diag.Pos {
	value := c.Primary().Node.Vars["pg_databases"]
	list := field(namedEntry(value, e.Database), "extensions")
	if list == nil || list.Kind != yaml.SequenceNode {
		return c.DatabasePos(e.Database)
	}
	for _, entry := range list.Content {
		if entry.Value == e.Name || named(entry, e.Name) {
			return value.NodePos(entry)
		}
	}
	return c.DatabasePos(e.Database)
}

// namedEntry is the entry of a name in a list; nil when there is none.
func namedEntry(value inventory.Value, name string) *yaml.Node {
	if value.Node == nil || value.Node.Kind != yaml.SequenceNode {
		return nil
	}
	for _, entry := range value.Node.Content {
		if named(entry, name) {
			return entry
		}
	}
	return nil
}

// named tells whether a mapping has that name.
func named(entry *yaml.Node, name string) bool {
	n := field(entry, "name")
	return n != nil && n.Value == name
}

// field is the value of a mapping's key; nil when it is none or has none.
func field(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for k := 0; k+1 < len(mapping.Content); k += 2 {
		if mapping.Content[k].Value == key {
			return mapping.Content[k+1]
		}
	}
	return nil
}
