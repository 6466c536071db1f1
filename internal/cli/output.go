package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
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
