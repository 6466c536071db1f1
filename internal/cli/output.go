package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"
)

// choice is a flag that takes one of some words.
type choice struct {
	value   *string
	allowed []string
}

func (c choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

func (c choice) Type() string { return strings.Join(c.allowed, "|") }

// Set refuses words that are not on the list.
func (c choice) Set(word string) error {
	if !slices.Contains(c.allowed, word) {
		return fmt.Errorf("want one of %s", strings.Join(c.allowed, ", "))
	}
	*c.value = word
	return nil
}

// outputFlag adds -o with the formats that a command knows; the first is the default.
func outputFlag(cmd *cobra.Command, format *string, formats ...string) {
	*format = formats[0]
	cmd.Flags().VarP(choice{format, formats}, "output", "o", "output format")
}

// encode writes a value as json or as yaml, with the names and the order that its JSON has.
func encode(w io.Writer, format string, value any) error {
	var text bytes.Buffer
	plain := json.NewEncoder(&text)
	plain.SetIndent("", "  ")
	plain.SetEscapeHTML(false)
	if err := plain.Encode(value); err != nil {
		return err
	}
	if format == "yaml" {
		var document yaml.Node
		if err := yaml.Unmarshal(text.Bytes(), &document); err != nil {
			return err
		}
		inBlocks(&document)
		encoder := yaml.NewEncoder(w)
		encoder.SetIndent(2)
		return errors.Join(encoder.Encode(&document), encoder.Close())
	}
	_, err := text.WriteTo(w)
	return err
}

// encodeNext writes one of many values: a line of json, or a document of yaml after its mark.
func encodeNext(w io.Writer, format string, value any) error {
	if format == "yaml" {
		if _, err := io.WriteString(w, "---\n"); err != nil {
			return err
		}
		return encode(w, format, value)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// outputForm is the form in which a run is told: a table, which is for people, json or yaml.
type outputForm struct{ form string }

// forPeople is true of a table, and of no choice at all.
func (o outputForm) forPeople() bool { return o.form == "" || o.form == "table" }

// jsonFlag adds --json, for commands whose -o is something else.
func (o *outputForm) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolFunc("json", "answer in JSON", func(text string) error {
		on, err := strconv.ParseBool(text)
		if o.form = ""; on {
			o.form = "json"
		}
		return err
	})
}

// inBlocks takes JSON's braces and quotes off a document; those that YAML needs stay.
func inBlocks(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode || len(n.Content) > 0 {
		n.Style = 0
	}
	for _, inner := range n.Content {
		inBlocks(inner)
	}
}
