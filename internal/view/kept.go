package view

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"pigsty/internal/operation"
	"pigsty/internal/resource"
)

// Kept prints what was removed and can be brought back, a row each.
func Kept(w io.Writer, things []operation.Kept) {
	if len(things) == 0 {
		fmt.Fprintln(w, "Nothing is set aside.")
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tWHAT\tITEM\tNODE\tREMOVED\tEXPIRES\tSIZE")
	for _, k := range things {
		expires, size := "never", ""
		if !k.Expires.IsZero() {
			expires = k.Expires.UTC().Format(time.DateTime)
		}
		if k.Bytes > 0 {
			size = resource.SizeText(k.Bytes)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.Name, k.What, k.Item, k.Node, k.Removed.UTC().Format(time.DateTime), expires, size)
	}
	t.Flush()
	fmt.Fprintln(w, "\npigsty undo NAME brings it back. Times are in UTC.")
}
