package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pigsty/internal/sandbox"
)

// sandboxStatus is the stable JSON form of sandbox status.
type sandboxStatus struct {
	Name      string               `json:"name"`
	Subnet    string               `json:"subnet"`
	Release   string               `json:"release"`
	SSHConfig string               `json:"ssh_config"`
	Nodes     []sandbox.NodeStatus `json:"nodes"`
}

func newSandboxStatusCommand(o *sandboxOptions) *cobra.Command {
	var output string
	var all bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the nodes of the sandbox",
		Example: `  pigsty sandbox status
  pigsty sandbox status --all -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			names := []string{o.name}
			if all {
				var err error
				if names, err = sandbox.List(); err != nil {
					return err
				}
			}
			found := []sandboxStatus{}
			for _, name := range names {
				s, err := sandbox.Open(name)
				if err != nil {
					return err
				}
				nodes, err := s.Status(cmd.Context())
				if err != nil {
					return err
				}
				c := s.Config()
				found = append(found, sandboxStatus{c.Name, c.Subnet.String(), c.Release, s.SSHConfigPath(), nodes})
			}
			if output == "json" {
				enc := json.NewEncoder(o.out)
				enc.SetIndent("", "  ")
				return enc.Encode(found)
			}
			return o.printStatus(found)
		},
	}
	outputFlag(cmd, &output, "text", "json")
	cmd.Flags().BoolVar(&all, "all", false, "every sandbox of this host")
	return cmd
}

func (o *sandboxOptions) printStatus(found []sandboxStatus) error {
	w := tabwriter.NewWriter(o.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SANDBOX\tNODE\tADDRESS\tSTATE\tBOOTS\tFOR\tNOTE")
	for _, s := range found {
		for _, n := range s.Nodes {
			age, boots := "-", "-"
			if n.State != sandbox.StateOff {
				age, boots = time.Since(n.Since).Round(time.Second).String(), fmt.Sprint(n.Boots)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, n.Name, n.Addr, n.State, boots, age, statusNote(n))
		}
	}
	return w.Flush()
}

func statusNote(n sandbox.NodeStatus) string {
	var notes []string
	if len(n.CutFrom) > 0 {
		notes = append(notes, "cut from "+strings.Join(n.CutFrom, ", "))
	}
	if n.State != sandbox.StateOff && !n.Supervised {
		notes = append(notes, "its supervisor died: kill and start it")
	}
	return strings.Join(notes, "; ")
}
