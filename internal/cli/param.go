package cli

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"pigsty/internal/diag"
	"pigsty/internal/param"
)

func newParamCommand(a *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "param [NAME | WORD...]",
		Short: "Look up parameters",
		Long: `Show one parameter in full by its name, or list those whose name, section or description
contain the words given; all of them without any. The formats schema and markdown print the JSON
schema of an inventory for editors and docs/parameters.md.

Exit codes: 0 done, 1 nothing found.`,
		RunE: func(_ *cobra.Command, args []string) error { return a.param(args, format) },
	}
	outputFlag(cmd, &format, "text", "json", "yaml", "schema", "markdown")
	return cmd
}

func (a *app) param(args []string, format string) error {
	switch format {
	case "schema":
		_, err := a.out.Write(param.Schema())
		return err
	case "markdown":
		_, err := a.out.Write(param.Markdown())
		return err
	}
	found, err := findParams(args)
	if err != nil {
		return err
	}
	switch {
	case format == "json":
		return writeJSON(a.out, found)
	case format == "yaml":
		return writeParamYAML(a.out, found)
	case len(args) == 1 && len(found) == 1:
		return writeParam(a.out, found[0])
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tTYPE\tDEFAULT\tWHAT IT DOES")
	for _, p := range found {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Name, p.Type, oneLine(shownDefault(p)), p.Help)
	}
	return w.Flush()
}

// findParams takes an exact name first, then words.
func findParams(args []string) ([]param.Param, error) {
	if len(args) == 1 {
		if p, ok := param.Lookup(args[0]); ok {
			return []param.Param{p}, nil
		}
	}
	term := strings.Join(args, " ")
	if found := param.Search(term); len(found) > 0 {
		return found, nil
	}
	var names []string
	for _, p := range param.Catalogue() {
		names = append(names, p.Name)
	}
	if near := diag.Nearest(term, names); near != "" {
		return nil, fmt.Errorf("no parameter %q; did you mean %s?", term, near)
	}
	return nil, fmt.Errorf("no parameter mentions %q", term)
}

func shownDefault(p param.Param) string {
	if p.Generated {
		return "(generated)"
	}
	return p.Default
}

// writeParam prints everything about one parameter.
func writeParam(out io.Writer, p param.Param) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	row("name", p.Name)
	row("what", p.Help)
	row("section", p.Module+" / "+p.Section)
	row("type", p.Type)
	row("values", strings.Join(p.Values, ", "))
	row("default", shownDefault(p))
	row("level", p.Level)
	if p.Secret {
		row("secret", "yes")
	}
	if p.Typed() {
		row("source", "param."+p.Source)
	} else {
		row("checked", "no: accepted as it is")
	}
	for _, d := range param.Differences() {
		if d.Name == p.Name {
			row("in v1.5", d.V15)
			row("changed", d.Reason)
		}
	}
	return w.Flush()
}

// writeParamYAML prints parameters as a mapping that can be pasted under vars; those without a
// default to write down are comments.
func writeParamYAML(w io.Writer, found []param.Param) error {
	var b bytes.Buffer
	for _, p := range found {
		fmt.Fprintf(&b, "# %s\n", p.Help)
		if p.Default == "" || strings.HasPrefix(p.Default, "<") {
			fmt.Fprintf(&b, "# %s:\n", p.Name)
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n", p.Name, yamlDefault(p))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// yamlDefault quotes the text of a default that YAML would take for something else.
func yamlDefault(p param.Param) string {
	var v any
	err := yaml.Unmarshal([]byte(p.Default), &v)
	_, isText := v.(string)
	structured := strings.HasSuffix(p.Type, "[]") || slices.Contains([]string{"dict", "bool", "int", "float", "port"}, p.Type)
	if structured || isText && err == nil {
		return p.Default
	}
	return "'" + strings.ReplaceAll(p.Default, "'", "''") + "'"
}
