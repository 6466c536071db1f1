package view

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"pigsty/internal/controller"
)

// Users prints the roles of a cluster, and below what is not as the inventory says.
func Users(w io.Writer, u *controller.Users, color bool) {
	style := styleFor(color)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "USER\tDECLARED BY\tLOGIN\tRIGHTS\tMEMBER OF\tEXPIRES\tSESSIONS\tPOOL\tCOMMENT")
	for _, r := range u.Users {
		if r.Missing {
			fmt.Fprintf(t, "%s\t%s\tis not there\t\t\t\t\t\t\n", printable(r.Name), r.Declared)
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(r.Name), r.Declared, yes(r.Login), strings.Join(rights(r), ", "),
			printable(strings.Join(r.Roles, ", ")), expiry(r.Expires), limited(r.Sessions, r.ConnLimit), yes(r.Pool), printable(r.Comment))
	}
	t.Flush()
	notes := u.Notes
	for _, r := range u.Users {
		switch {
		case r.Missing:
			notes = append(notes, fmt.Sprintf("%s is declared (%s) and not there: pigsty pg user apply %s %s", r.Name, r.Place, u.Cluster, r.Name))
		case r.Unwanted:
			notes = append(notes, fmt.Sprintf("%s is to be absent (%s) and is there: pigsty pg user apply %s %s", r.Name, r.Place, u.Cluster, r.Name))
		case r.Expires != nil && r.Expires.Before(time.Now()):
			notes = append(notes, fmt.Sprintf("the password of %s has expired", r.Name))
		}
	}
	printRemarks(w, notes, style)
}

// rights are the attributes of a role that let it do more than others.
func rights(u controller.User) []string {
	var all []string
	for _, a := range []struct {
		has  bool
		name string
	}{
		{u.Superuser, "superuser"},
		{u.CreateDB, "createdb"},
		{u.CreateRole, "createrole"},
		{u.Replication, "replication"},
		{u.BypassRLS, "bypassrls"},
		{!u.Inherit, "noinherit"},
	} {
		if a.has {
			all = append(all, a.name)
		}
	}
	return all
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

func expiry(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.DateOnly)
}

// limited writes a count beside its limit, where there is one.
func limited(count, limit int) string {
	if limit < 0 {
		return fmt.Sprint(count)
	}
	return fmt.Sprintf("%d of %d", count, limit)
}

// printRemarks writes sentences below a table.
func printRemarks(w io.Writer, remarks []string, style style) {
	if len(remarks) > 0 {
		fmt.Fprintln(w)
	}
	for _, text := range remarks {
		fmt.Fprintln(w, style.bold("note:")+" "+indented(text))
	}
}
