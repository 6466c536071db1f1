package view

import (
	"fmt"
	"io"
	"strings"

	"pigsty/internal/election"
	"pigsty/internal/resource"
)

// Elections prints who would be promoted in each cluster, and why the others would not.
func Elections(w io.Writer, reports []election.Report, color bool) {
	style := styleFor(color)
	for n, r := range reports {
		if n > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s  %s\n", style.bold(r.Cluster), r.Outcome)
		width := 0
		for _, v := range r.Members {
			width = max(width, len(v.Instance))
		}
		for _, v := range r.Members {
			name := v.Instance + strings.Repeat(" ", width-len(v.Instance))
			fmt.Fprintf(w, "  %s %s  %s\n", mark(v, style), name, verdict(v, r))
			for _, reason := range v.Reasons {
				fmt.Fprintf(w, "    %s  · %s\n", strings.Repeat(" ", width), printable(reason.Text))
			}
		}
		for _, line := range []string{r.Loss, r.Soon, r.Store} {
			if line != "" {
				fmt.Fprintln(w, "  "+line)
			}
		}
	}
}

// mark is one sign for what would become of a member.
func mark(v election.Verdict, style style) string {
	switch v.Verdict {
	case election.Leads:
		return style.bold("★")
	case election.Wins:
		return style.green("✓")
	case election.Loses:
		return "·"
	case election.Unknown:
		return style.yellow("?")
	}
	return style.red("✗")
}

func verdict(v election.Verdict, r election.Report) string {
	text := ""
	switch v.Verdict {
	case election.Leads:
		return "leads"
	case election.Wins:
		text = "would be promoted"
		if len(r.Winners) > 1 {
			text = "would be promoted if it asks first"
		}
	case election.Loses:
		text = "could be promoted, and is not the first choice"
	case election.Unknown:
		text = "unknown"
	default:
		text = "would not be promoted"
	}
	if v.Behind != nil {
		text += ", " + resource.SizeText(*v.Behind) + " behind"
	}
	return text
}
