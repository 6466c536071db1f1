package golden

import (
	"cmp"
	"crypto/sha256"
	"encoding"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"pigsty/internal/diag"
	"pigsty/internal/resource"
)

// writeResource lists the fields that are set, under the names they have on the wire.
func writeResource(b *strings.Builder, r resource.Resource) {
	file, isFile := r.(*resource.File)
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		hidden := f.Tag.Get("secret") == "true" || (isFile && file.Secret && f.Name == "Content")
		writeField(b, "  ", wireName(f), v.Field(i), hidden)
	}
}

// wireName is the field's JSON name: golden files then read like the stored plans.
func wireName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return cmp.Or(name, f.Name)
}

func writeField(b *strings.Builder, indent, name string, v reflect.Value, hidden bool) {
	if v.IsZero() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0 {
		return
	}
	// What is pointed at shows even when it is zero: somebody took care to set it.
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if hidden || (v.Kind() == reflect.String && diag.SecretKey(name)) {
		fmt.Fprintf(b, "%s%s: %s\n", indent, name, masked(v))
		return
	}
	if text, ok := scalar(v); ok {
		fmt.Fprintf(b, "%s%s: %s\n", indent, name, block(text, indent+"  "))
		return
	}
	fmt.Fprintf(b, "%s%s:\n", indent, name)
	writeParts(b, indent+"  ", v)
}

// writeParts writes what a structure, list or map is made of, one part a line or more.
func writeParts(b *strings.Builder, indent string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				writeField(b, indent, wireName(f), v.Field(i), f.Tag.Get("secret") == "true")
			}
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return cmp.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
		for _, key := range keys {
			writeField(b, indent, fmt.Sprint(key), v.MapIndex(key), false)
		}
	default:
		for i := range v.Len() {
			writeField(b, indent, "- "+strconv.Itoa(i+1), v.Index(i), false)
		}
	}
}

// scalar is the text of a value that stands on one line, or in one block; lists of such are
// one as well.
func scalar(v reflect.Value) (string, bool) {
	switch x := v.Interface().(type) {
	case fs.FileMode:
		return fmt.Sprintf("%04o", uint32(x)), true
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		return string(text), err == nil
	case []string:
		return "[" + strings.Join(x, ", ") + "]", true
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array:
		return "", false
	}
	return fmt.Sprint(v.Interface()), true
}

// block indents text of several lines below its name. A last line without an end is marked,
// since it matters in most files.
func block(text, indent string) string {
	if !strings.Contains(text, "\n") {
		return text
	}
	body, ended := strings.CutSuffix(text, "\n")
	mark := "|"
	if !ended {
		mark = "|-"
	}
	for line := range strings.SplitSeq(body, "\n") {
		mark += "\n"
		if line != "" {
			mark += indent + line
		}
	}
	return mark
}

func masked(v reflect.Value) string {
	text := fmt.Sprint(v.Interface())
	digest := sha256.Sum256([]byte(text))
	return fmt.Sprintf("secret of %d bytes, digest %x", len(text), digest[:4])
}
