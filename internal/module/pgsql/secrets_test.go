package pgsql_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pigsty/internal/module/pgsql"
	"pigsty/internal/resource"
)

// withoutSecrets is a resource as JSON less the fields that are never shown.
func withoutSecrets(t *testing.T, r resource.Resource) string {
	t.Helper()
	if f, ok := r.(*resource.File); ok && f.Secret {
		return ""
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	data, err = json.Marshal(masked(tree))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func masked(tree any) any {
	switch v := tree.(type) {
	case map[string]any:
		for name, value := range v {
			if v[name] = masked(value); name == "password" || name == "verifier" {
				v[name] = "***"
			}
		}
	case []any:
		for i := range v {
			v[i] = masked(v[i])
		}
	}
	return tree
}

func TestSecretsStayInSecretFiles(t *testing.T) {
	for name := range cases {
		seen := false
		for _, s := range pgsql.Compile(deployment(t, name)) {
			text := withoutSecrets(t, s.Resource)
			for _, word := range []string{"sentinel", "PRIVATE KEY", "SCRAM-SHA-256$"} {
				if strings.Contains(text, word) {
					t.Errorf("%s: %s shows %q", name, resource.ID(s.Resource), word)
				}
			}
			f, ok := s.Resource.(*resource.File)
			if !ok || !f.Secret {
				continue
			}
			seen = true
			if f.Mode != 0o600 {
				t.Errorf("%s: %s has mode %o", name, f.Path, f.Mode)
			}
		}
		if !seen {
			t.Errorf("%s has no secret file", name)
		}
	}
}
