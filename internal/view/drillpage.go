package view

import (
	"io"

	"pigsty/internal/drill"
)

// DrillPage writes the report as a page.
func DrillPage(w io.Writer, r *drill.Report) error { return nil }
