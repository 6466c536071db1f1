package cli

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newDocsCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:    "docs FOLDER",
		Short:  "Write a page for every command",
		Long:   "Write a page for every command into a folder: as in docs/commands, or manual pages for man.",
		Hidden: true, // for whoever packages pigsty
		Args:   cobra.ExactArgs(1),
		RunE:   func(_ *cobra.Command, args []string) error { return writeDocs(args[0], format) },
	}
	outputFlag(cmd, &format, "markdown", "man")
	return cmd
}

func writeDocs(dir, format string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// A tree of its own: the one that runs has grown commands for help and completion.
	root := newRootCommand(&app{})
	root.DisableAutoGenTag = true // it carries the date
	if format == "man" {
		return doc.GenManTree(root, &doc.GenManHeader{Source: "pigsty " + versionString()}, dir)
	}
	return writePages(dir, root)
}

// writePages writes the page of each command people can see, and README.md, which lists them.
func writePages(dir string, root *cobra.Command) error {
	var index strings.Builder
	index.WriteString(indexHead)
	for _, cmd := range visible(root) {
		if err := os.WriteFile(filepath.Join(dir, pageName(cmd)), []byte(commandPage(cmd)), 0o644); err != nil {
			return err
		}
		if cmd.Runnable() {
			index.WriteString(pageLink(cmd))
		}
	}
	return os.WriteFile(filepath.Join(dir, "README.md"), []byte(index.String()), 0o644)
}

// visible gives a command and all below it that are not hidden, parents first.
func visible(cmd *cobra.Command) []*cobra.Command {
	out := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			out = append(out, visible(sub)...)
		}
	}
	return out
}
