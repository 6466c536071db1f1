package postgres

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pigsty/internal/resource"
)

// parameterPath is where PostgreSQL's parameters stand in Patroni's configuration.
const parameterPath = "postgresql.parameters."

// diffConfig compares the wanted keys with a configuration. It returns what differs, under the
// path of each key, and the patch that makes it so: Patroni merges a patch into what it has, and
// takes null for removal.
func diffConfig(want, have map[string]any) (fields []resource.Field, patch map[string]any) {
	return diffConfigAt("", want, have)
}

func diffConfigAt(path string, want, have map[string]any) (fields []resource.Field, patch map[string]any) {
	patch = map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		wanted, current := want[key], have[key]
		if tree, ok := wanted.(map[string]any); ok {
			below, _ := current.(map[string]any)
			inner, innerPatch := diffConfigAt(path+key+".", tree, below)
			if len(inner) > 0 {
				fields, patch[key] = append(fields, inner...), innerPatch
			}
			continue
		}
		if sameConfig(path, wanted, current) {
			continue
		}
		fields = append(fields, resource.Field{Name: path + key, Before: configText(current), After: configText(wanted)})
		patch[key] = wanted
	}
	return fields, patch
}

// sameConfig compares two values by their text. PostgreSQL's parameters may have a switch in any
// spelling.
func sameConfig(path string, a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	left, right := configText(a), configText(b)
	if left == right {
		return true
	}
	if path != parameterPath {
		return false
	}
	on, known := switchWord(left)
	other, alsoKnown := switchWord(right)
	return known && alsoKnown && on == other
}

func switchWord(text string) (on, known bool) {
	switch strings.ToLower(text) {
	case "on", "true", "yes":
		return true, true
	case "off", "false", "no":
		return false, true
	}
	return false, false
}

// configText writes a value for people and for comparison; nothing for a key that is not there.
func configText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return strconv.FormatFloat(f, 'f', -1, 64)
		}
		return v.String()
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}

// parametersIn picks PostgreSQL's parameters out of differing keys, without their path.
func parametersIn(fields []resource.Field) []resource.Field {
	var parameters []resource.Field
	for _, f := range fields {
		if name, ok := strings.CutPrefix(f.Name, parameterPath); ok {
			parameters = append(parameters, resource.Field{Name: name, Before: f.Before, After: f.After})
		}
	}
	return parameters
}
