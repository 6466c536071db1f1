package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

const indexHead = `# Commands

Each page is what ` + "`pigsty COMMAND --help`" + ` tells. A command writes its result to standard output
and what it tells on the way to standard error. It ends with code 0 when all is well and 1 when
it failed; a page says so where a command has other codes.

`

func pageName(cmd *cobra.Command) string {
	return strings.ReplaceAll(cmd.CommandPath(), " ", "_") + ".md"
}

func pageLink(cmd *cobra.Command) string {
	return fmt.Sprintf("- [%s](%s): %s\n", cmd.CommandPath(), pageName(cmd), cmd.Short)
}

// commandPage is the page of one command, in Markdown.
func commandPage(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s.\n", cmd.CommandPath(), strings.TrimSuffix(cmd.Short, "."))
	if cmd.Runnable() {
		writeBlock(&b, "", cmd.UseLine())
	}
	if cmd.Long != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(cmd.Long))
	}
	writeBlock(&b, "Examples", cmd.Example)
	writeBlock(&b, "Flags", cmd.NonInheritedFlags().FlagUsages())
	writeBlock(&b, "Shared flags", cmd.InheritedFlags().FlagUsages())
	writeRelated(&b, cmd)
	return b.String()
}

// writeBlock writes preformatted text under a heading, or nothing when there is none.
func writeBlock(b *strings.Builder, heading, text string) {
	text = strings.Trim(text, "\n")
	if text == "" {
		return
	}
	if heading != "" {
		fmt.Fprintf(b, "\n## %s\n", heading)
	}
	fmt.Fprintf(b, "\n```\n%s\n```\n", text)
}

func writeRelated(b *strings.Builder, cmd *cobra.Command) {
	var links []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			links = append(links, pageLink(sub))
		}
	}
	if cmd.HasParent() {
		links = append(links, pageLink(cmd.Parent()))
	}
	if len(links) > 0 {
		fmt.Fprintf(b, "\n## See also\n\n%s", strings.Join(links, ""))
	}
}
