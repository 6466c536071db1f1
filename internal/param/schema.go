package param

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// object is a JSON object under construction.
type object = map[string]any

// Schema gives a JSON schema of a whole inventory file, for editors. It accepts what [Check]
// accepts except for facts that span several values, and names of v1.4 as deprecated ones.
func Schema() []byte {
	s := schema{defs: object{}}
	s.defs["hosts"] = nullable(object{"type": "object", "additionalProperties": ref("vars")})
	s.defs["children"] = nullable(object{"type": "object", "additionalProperties": ref("group")})
	s.defs["group"] = nullable(object{
		"type":                 "object",
		"properties":           object{"hosts": ref("hosts"), "vars": ref("vars"), "children": ref("children")},
		"additionalProperties": false,
	})
	s.defs["bool"] = object{"anyOf": []any{
		object{"type": "boolean"},
		object{"enum": []string{"yes", "no", "on", "off", "Yes", "No", "On", "Off", "YES", "NO", "ON", "OFF"}},
	}}
	s.defs["vars"] = s.vars()
	out, err := json.MarshalIndent(object{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "pigsty inventory",
		"type":                 "object",
		"properties":           object{"all": ref("group")},
		"additionalProperties": ref("group"),
		"$defs":                s.defs,
	}, "", "  ")
	if err != nil {
		panic(err)
	}
	return append(out, '\n')
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

func nullable(o object) object {
	if t, ok := o["type"].(string); ok {
		o["type"] = []string{t, "null"}
		return o
	}
	return object{"anyOf": []any{o, object{"type": "null"}}}
}

// schema gathers the definitions of object types as they are met.
type schema struct{ defs object }

func (s schema) vars() object {
	properties := object{}
	for _, p := range catalogue() {
		o := object{}
		if p.field != nil {
			o = s.of(*p.field, p.field.typ)
			if isFreeScalar(p) {
				o = nullable(o)
			} else {
				o = object{"anyOf": []any{o, object{"type": "null"}}}
			}
		}
		o["description"] = p.Help
		properties[p.Name] = o
	}
	for _, r := range renames {
		properties[r.from] = object{"deprecated": true, "description": "now " + r.to}
	}
	for _, name := range removed {
		properties[name] = object{"deprecated": true, "description": "ignored since v1.5"}
	}
	return nullable(object{
		"type":                 "object",
		"properties":           properties,
		"patternProperties":    object{"^ansible_": object{}},
		"additionalProperties": false,
	})
}

// isFreeScalar tells whether a parameter's schema is a plain type that null can be added to.
func isFreeScalar(p Param) bool {
	k := p.field.typ.Kind()
	return (k == reflect.Slice || k == reflect.Map) && p.field.kind == ""
}

// of gives the schema of a field's value of a type.
func (s schema) of(f field, t reflect.Type) object {
	switch t.Kind() {
	case reflect.Slice:
		list := object{"type": "array", "items": s.of(f, t.Elem())}
		if f.single {
			return object{"anyOf": []any{list, s.of(f, t.Elem())}}
		}
		return list
	case reflect.Map:
		return object{"type": "object", "additionalProperties": nullableItem(s.of(f, t.Elem()))}
	case reflect.Struct:
		return s.structure(t)
	case reflect.Bool:
		return ref("bool")
	case reflect.Int, reflect.Float64:
		return number(f, t.Kind())
	case reflect.String:
		return text(f)
	}
	return object{}
}

func nullableItem(o object) object {
	if len(o) == 0 {
		return o
	}
	return object{"anyOf": []any{o, object{"type": "null"}}}
}

func (s schema) structure(t reflect.Type) object {
	name := strings.ToLower(t.Name())
	if _, done := s.defs[name]; !done {
		s.defs[name] = nil
		properties, required := object{}, []string{}
		for _, f := range fields(t) {
			o := nullableItem(s.of(f, f.typ))
			o["description"] = f.help
			properties[f.name] = o
			if f.required {
				required = append(required, f.name)
			}
		}
		s.defs[name] = object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	}
	if named(t) {
		return object{"anyOf": []any{ref(name), object{"type": "string"}}}
	}
	return ref(name)
}

// number accepts digits in quotes as well, as Ansible users write them.
func number(f field, k reflect.Kind) object {
	o := object{"type": []string{"integer", "string"}, "pattern": "^-?[0-9_]+$"}
	if k == reflect.Float64 {
		o = object{"type": []string{"number", "string"}, "pattern": `^-?[0-9.]+$`}
	}
	low, high := f.min, f.max
	if f.kind == "port" {
		one, most := 1.0, 65535.0
		low, high = &one, &most
	}
	if low != nil {
		o["minimum"] = *low
		if f.def != nil && f.def.Value == "-1" {
			o["minimum"] = -1
		}
	}
	if high != nil {
		o["maximum"] = *high
	}
	return o
}

func text(f field) object {
	if len(f.oneof) > 0 {
		values := []any{""}
		for _, w := range f.oneof {
			values = append(values, w)
		}
		if slices.Contains(f.oneof, "off") {
			values = append(values, false)
		}
		return object{"enum": values}
	}
	o := object{"type": []string{"string", "number", "boolean"}}
	if pattern := kinds[f.kind].pattern; pattern != "" {
		alternatives := append([]string{"^$", "(" + pattern + ")"}, f.words...)
		o["pattern"] = strings.Join(alternatives, "|")
		o["type"] = []string{"string", "number"}
	}
	return o
}
