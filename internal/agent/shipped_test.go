package agent

import (
	"encoding/json"
	"os"
	"testing"

	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

// What modules have the agent put onto nodes, it carries: the documentation and the schema.
func TestAgentCarriesTheDocumentation(t *testing.T) {
	h := simulate.NewHost(t.TempDir())
	for content, file := range map[string]string{"manual": "/www/manual/alerts/index.html", "schema": "/www/schema/" + schemaName} {
		s := &resource.Shipped{Path: "/www/" + content, Content: content}
		if err := s.Apply(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		if c, err := s.Diff(t.Context(), h); c != nil || err != nil {
			t.Errorf("%s: still to change: %+v, %v", content, c, err)
		}
		if info, err := os.Stat(h.Path(file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
	text, err := os.ReadFile(h.Path("/www/schema/" + schemaName))
	if err != nil || !json.Valid(text) {
		t.Errorf("the schema is no JSON: %v", err)
	}
}
