package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"pigsty/internal/controller"
)

// Services prints where each service of a cluster leads now, and how to connect.
func Services(w io.Writer, s *controller.Services, color bool) {
	style := styleFor(color)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SERVICE\tPORT\tINSTANCE\tSERVES\tSTATE\tSESSIONS\tCHECK")
	notes := s.Notes
	for _, service := range s.Services {
		serves := false
		for _, server := range service.Servers {
			serves = serves || server.Serves
			fmt.Fprintf(t, "%s\t%d\t%s:%d\t%s\t%s\t%d\t%s\n", service.Name, service.Port, server.Instance, service.Target, yes(server.Serves),
				state(server), server.Sessions, seen(server, func(v controller.ServerView) string { return v.Check }))
		}
		if len(service.Servers) == 0 {
			fmt.Fprintf(t, "%s\t%d\t\t\t\t\t\n", service.Name, service.Port)
		}
		if !serves {
			notes = append(notes, fmt.Sprintf("%s leads nowhere", service.Name))
		}
		if len(service.Missing) > 0 {
			notes = append(notes, fmt.Sprintf("%s is not offered by %s: pigsty pg service apply %s", service.Name, strings.Join(service.Missing, ", "), s.Name))
		}
	}
	t.Flush()
	printRemarks(w, notes, style)
	fmt.Fprintln(w)
	connections(w, s.Cluster)
}

// state is what the members say of a server; who says otherwise than the first is named.
func state(server controller.ServiceServer) string {
	text := seen(server, func(v controller.ServerView) string { return v.Status })
	if server.Backup {
		text += ", backup"
	}
	return text
}

// seen is one thing of all views: once where all agree.
func seen(server controller.ServiceServer, of func(controller.ServerView) string) string {
	var texts []string
	from := map[string][]string{}
	for _, v := range server.Views {
		text := of(v)
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
		from[text] = append(from[text], v.From)
	}
	if len(texts) == 1 {
		return texts[0]
	}
	for n, text := range texts {
		texts[n] = text + " by " + strings.Join(from[text], " and ")
	}
	return strings.Join(texts, ", ")
}
