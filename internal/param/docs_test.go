package param

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v4"
)

func TestDocumentsAreUpToDate(t *testing.T) {
	golden(t, "../../docs/parameters.md", Markdown())
	golden(t, "../../docs/differences.md", DifferencesMarkdown())
	golden(t, "../../docs/schema/pigsty.schema.json", Schema())
}

func resolved(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// instance reads YAML as an editor's language server does: YAML 1.2, keys as text.
func instance(t *testing.T, path string) any {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return textKeys(v)
}

func textKeys(v any) any {
	switch x := v.(type) {
	case map[any]any:
		out := map[string]any{}
		for k, item := range x {
			out[fmt.Sprint(k)] = textKeys(item)
		}
		return out
	case map[string]any:
		for k := range x {
			x[k] = textKeys(x[k])
		}
	case []any:
		for i := range x {
			x[i] = textKeys(x[i])
		}
	case time.Time:
		return x.Format(time.DateOnly)
	}
	return v
}

func TestSchemaAcceptsGoodInventories(t *testing.T) {
	r := resolved(t)
	files, _ := filepath.Glob("testdata/good/*.yml")
	for _, file := range files {
		if err := r.Validate(instance(t, file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestSchemaRefusesBadValues(t *testing.T) {
	r := resolved(t)
	for _, name := range []string{
		"unknown-near", "int-word", "port-range", "bool-word", "enum", "float-range", "list-wanted", "dict-wanted",
		"path", "size-interval", "user-field", "user-values", "database-field", "service", "secret-type", "group-key", "hosts-list",
	} {
		if r.Validate(instance(t, "testdata/bad/"+name+".yml")) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestSchemaHasEveryParameter(t *testing.T) {
	var s struct {
		Defs map[string]struct {
			Properties map[string]any `json:"properties"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	for _, p := range Catalogue() {
		if s.Defs["vars"].Properties[p.Name] == nil {
			t.Errorf("%s is not in the schema", p.Name)
		}
	}
}
