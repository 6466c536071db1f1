package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/inventory"
	"pigsty/internal/param"
)

func TestParamShowsOne(t *testing.T) {
	out, _, err := runCommand(t, newParamCommand, "", "pg_safeguard")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"PGSQL / PG_BOOTSTRAP", "default true", "in v1.5 false"} {
		if !strings.Contains(squeeze(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out, _, err = runCommand(t, newParamCommand, "", "dcs_type")
	if err != nil || !strings.Contains(out, "pg_dcs_type") {
		t.Errorf("an old name: %v\n%s", err, out)
	}
}

func TestParamSearches(t *testing.T) {
	out, _, err := runCommand(t, newParamCommand, "", "vip", "address")
	if err != nil || !strings.HasPrefix(out, "NAME") || !strings.Contains(out, "vip_address") || strings.Contains(out, "pg_port") {
		t.Errorf("%v\n%s", err, out)
	}
	for word, want := range map[string]string{"pg_prot": "did you mean pg_port?", "xyzzy plugh": "no parameter mentions"} {
		if _, _, err := runCommand(t, newParamCommand, "", word); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", word, err)
		}
	}
	if _, _, err := runCommand(t, newParamCommand, "", "-o", "xml"); err == nil || !strings.Contains(err.Error(), "want one of text, json") {
		t.Errorf("%v", err)
	}
}

func TestParamFormats(t *testing.T) {
	want := map[string]string{}
	for format, file := range map[string]string{"schema": "schema/pigsty.schema.json", "markdown": "parameters.md"} {
		data, err := os.ReadFile("../../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		want[format] = string(data)
	}
	for format := range want {
		if out, _, err := runCommand(t, newParamCommand, "", "-o", format); err != nil || out != want[format] {
			t.Errorf("%s differs from the file in docs: %v", format, err)
		}
	}
	out, _, err := runCommand(t, newParamCommand, "", "-o", "json")
	var all []param.Param
	if err != nil || json.Unmarshal([]byte(out), &all) != nil || len(all) != len(param.Catalogue()) {
		t.Errorf("json: %v, %d", err, len(all))
	}
}

// The YAML that `param -o yaml` prints is an inventory's vars that check without a problem.
func TestParamYAMLIsUsable(t *testing.T) {
	out, _, err := runCommand(t, newParamCommand, "", "-o", "yaml")
	if err != nil {
		t.Fatal(err)
	}
	var vars yaml.Node
	if err := yaml.Unmarshal([]byte(out), &vars); err != nil {
		t.Fatal(err)
	}
	text := "all:\n  hosts: {10.0.0.1: {}}\n  vars:\n    " + strings.ReplaceAll(out, "\n", "\n    ")
	inv, problems := inventory.Parse("x.yml", []byte(text), inventory.Options{})
	problems.Add(param.Check(inv)...)
	for _, d := range problems {
		if !strings.Contains(d.Summary, "different for every") {
			t.Error(d)
		}
	}
	for name, v := range inv.Global() {
		if p, _ := param.Lookup(name); p.Typed() && v.Plain() == nil {
			t.Errorf("%s is printed as null", name)
		}
	}
}
