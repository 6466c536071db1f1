package view

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"pigsty/internal/controller"
	"pigsty/internal/hba"
)

// Rules prints the access rules of an instance and of its pool in the order in which they are tried.
func Rules(w io.Writer, r *controller.Rules, color bool) {
	style := styleFor(color)
	rules(w, style.bold("PostgreSQL of "+r.Instance), r.Server)
	if len(r.Pool) > 0 {
		fmt.Fprintln(w)
		rules(w, style.bold("pgBouncer of "+r.Instance), r.Pool)
	}
	if len(r.Missing) > 0 {
		fmt.Fprintln(w)
		rules(w, style.red("in the inventory and not in force"), r.Missing)
	}
	printRemarks(w, r.Notes, style)
}

func rules(w io.Writer, title string, list []controller.Rule) {
	fmt.Fprintln(w, title)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "LINE\tTYPE\tDATABASE\tUSER\tADDRESS\tMETHOD\tFROM")
	for _, r := range list {
		line := fmt.Sprint(r.Line)
		if r.File != "" {
			line = fmt.Sprintf("%s:%d", r.File, r.Line)
		}
		if r.Error != "" {
			fmt.Fprintf(t, "%s\t%s\t\t\t\t\t%s\n", line, printable(r.Text), printable(r.Error))
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", line, r.Type, printable(strings.Join(r.Databases, ",")), printable(strings.Join(r.Users, ",")),
			address(r.Rule), strings.Join(append([]string{r.Method}, r.Options...), " "), origin(r))
	}
	t.Flush()
}

// address is a rule's with the length of its mask in place of the mask.
func address(r hba.Rule) string {
	if network, err := r.Network(); err == nil {
		return network.String()
	}
	return printable(r.Address)
}

func origin(r controller.Rule) string {
	switch {
	case r.Place != "":
		return r.Place + "  " + printable(r.Origin)
	case strings.HasPrefix(r.Origin, "pigsty"):
		return r.Origin
	case r.Origin != "":
		return "default of " + printable(r.Origin)
	}
	return "not of the inventory"
}

// Verdict prints which rule decides about a login.
func Verdict(w io.Writer, v *controller.Verdict, color bool) {
	style := styleFor(color)
	way := "from " + v.Addr
	switch {
	case v.Addr == "local":
		way = "on the Unix socket"
	case v.TLS:
		way += " over TLS"
	default:
		way += " without TLS"
	}
	server := "PostgreSQL"
	if v.Pool {
		server = "pgBouncer"
	}
	means := style.green(v.Means)
	if v.Refused {
		means = style.red(v.Means)
	}
	fmt.Fprintf(w, "%s to %s, %s, at %s of %s: %s.\n", printable(v.User), printable(v.Database), way, server, v.Instance, means)
	if v.Rule != nil {
		fmt.Fprintf(w, "Line %d decides: %s\n  %s\n", v.Rule.Line, printable(v.Rule.Text), origin(*v.Rule))
	}
	printRemarks(w, v.Notes, style)
}
