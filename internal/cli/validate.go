package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/diag"
	"pigsty/internal/inventory"
	"pigsty/internal/param"
)

func newValidateCommand(a *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check the inventory without reaching any node",
		Long: `Check the inventory: YAML, parameter names, types, values and where they are set.

All problems are shown at once, each with its place. Exit codes: 0 nothing wrong or only
warnings, 1 errors.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.validate(format) },
	}
	outputFlag(cmd, &format, "text", "json")
	return cmd
}

func (a *app) validate(format string) error {
	secrets := map[string]string{}
	for _, name := range param.Secrets() {
		secrets[name] = diag.Masked
	}
	inv, _, problems := controller.Read(a.inventory, inventory.Options{Extra: a.extra, Generated: secrets})
	if err := showProblems(a.out, format, problems); err != nil {
		return err
	}
	if problems.HasErrors() {
		return &exitError{code: exitFailed}
	}
	if format == "text" {
		fmt.Fprintf(a.out, "%s: %d hosts in %d groups, no errors\n", a.inventory, len(inv.Hosts()), len(inv.Groups()))
	}
	return nil
}

func showProblems(w io.Writer, format string, problems diag.List) error {
	if format == "json" {
		if problems == nil {
			problems = diag.List{}
		}
		return writeJSON(w, problems)
	}
	return problems.Write(w)
}

// writeJSON prints a value as indented JSON.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}
