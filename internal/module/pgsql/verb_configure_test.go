package pgsql

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestConfigKeys(t *testing.T) {
	for words, want := range map[string]string{
		"ttl=60 loop_wait=15": `{"loop_wait":15,"ttl":60}`,
		"postgresql.parameters.work_mem=8MB postgresql.parameters.a=null postgresql.use_slots=true": `{"postgresql":{"parameters":{"a":null,"work_mem":"8MB"},"use_slots":true}}`,
		"a.b=x=y a.c=": `{"a":{"b":"x=y","c":""}}`,
		"ttl":          "ttl\" is not KEY=VALUE",
		"a..b=1":       "empty",
		"a=1 a=2":      "given twice",
		"a=1 a.b=2":    "a is given a value of its own",
		"a=[":          "the value of a is not YAML",
	} {
		keys, err := configKeys(strings.Fields(words))
		got, _ := json.Marshal(keys)
		if err != nil {
			got = []byte(err.Error())
		}
		if !strings.Contains(string(got), want) {
			t.Errorf("%s: %s, want %s", words, got, want)
		}
	}
}
