package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"pigsty/docs"
	"pigsty/internal/manual"
	"pigsty/internal/resource"
)

// What an agent carries besides itself, for resource.Shipped.
var (
	_ = resource.Ship("manual", resource.Shipment{Edition: manual.Edition, Files: manual.Files})
	_ = resource.Ship("schema", resource.Shipment{Edition: schemaEdition, Files: schemaFiles})
)

const schemaName = "pigsty.schema.json"

// schemaFiles is the JSON schema of inventories.
func schemaFiles() map[string]string {
	text, err := docs.Files.ReadFile("schema/" + schemaName)
	if err != nil {
		panic("schema of inventories: " + err.Error()) // what is embedded can always be read
	}
	return map[string]string{schemaName: string(text)}
}

var schemaEdition = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(schemaFiles()[schemaName]))
	return hex.EncodeToString(sum[:6])
})
