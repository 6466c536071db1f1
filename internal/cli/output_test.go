package cli

import (
	"strings"
	"testing"

	"pigsty/internal/health"
)

// What reads like another type in YAML keeps its quotes, and names and order are JSON's.
func TestEncode(t *testing.T) {
	value := map[string]any{"members": []health.Member{{Name: "true", Host: "10", State: "a: b", Tags: map[string]any{}}}}
	for format, want := range map[string]string{
		"json": "{\n  \"members\": [\n    {\n      \"name\": \"true\",\n      \"host\": \"10\",\n      \"role\": \"\",\n      \"state\": \"a: b\",\n      \"lag\": 0\n    }\n  ]\n}\n",
		"yaml": "members:\n  - name: \"true\"\n    host: \"10\"\n    role: \"\"\n    state: 'a: b'\n    lag: 0\n",
	} {
		var b strings.Builder
		if err := encode(&b, format, value); err != nil || b.String() != want {
			t.Errorf("%s: %v\n%s", format, err, b.String())
		}
	}
}

// Events come one after the other: lines of JSON, or documents of YAML that one parser reads.
func TestEncodeNext(t *testing.T) {
	for format, want := range map[string]string{
		"json": "{\"a\":\"<1>\"}\n{\"a\":\"<2>\"}\n",
		"yaml": "---\na: <1>\n---\na: <2>\n",
	} {
		var b strings.Builder
		for _, text := range []string{"<1>", "<2>"} {
			if err := encodeNext(&b, format, map[string]string{"a": text}); err != nil {
				t.Fatal(err)
			}
		}
		if b.String() != want {
			t.Errorf("%s:\n%s", format, b.String())
		}
	}
}
