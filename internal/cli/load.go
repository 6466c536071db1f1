package cli

import (
	"fmt"
	"strings"

	"pigsty/internal/diag"
	"pigsty/internal/inventory"
	"pigsty/internal/param"
)

// inventoryError is an inventory with errors: its text is all of them, with source lines.
type inventoryError struct {
	file     string
	problems diag.List
}

func (e *inventoryError) Error() string {
	var b strings.Builder
	n := len(e.problems)
	fmt.Fprintf(&b, "%s has %d error%s\n", e.file, n, plural(n))
	if err := e.problems.Write(&b); err != nil {
		return err.Error()
	}
	return strings.TrimRight(b.String(), "\n")
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// loadInventory reads and checks the inventory of -i and -e: warnings go to standard error,
// errors end the command. generated are the secrets made earlier, nil where they do not matter.
func (a *app) loadInventory(generated map[string]string) (*inventory.Inventory, error) {
	inv, problems := inventory.Load(a.inventory, inventory.Options{Extra: a.extra, Generated: generated})
	problems.Add(param.Check(inv)...)
	problems.Sort()
	if err := problems.Warnings().Write(a.err); err != nil {
		return nil, fmt.Errorf("write warnings: %w", err)
	}
	if problems.HasErrors() {
		return nil, &inventoryError{file: a.inventory, problems: problems.Errors()}
	}
	return inv, nil
}
