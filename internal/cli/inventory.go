package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pigsty/internal/diag"
	"pigsty/internal/inventory"
)

// inventoryFlags are what the inventory commands share.
type inventoryFlags struct {
	format, limit string
	secrets       bool
}

func newInventoryCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inventory",
		Short: "Show hosts, groups and merged variables",
	}
	cmd.AddCommand(newInventoryListCommand(a), newInventoryGraphCommand(a), newInventoryHostCommand(a))
	return cmd
}

func newInventoryListCommand(a *app) *cobra.Command {
	var f inventoryFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the hosts and their groups",
		Long: `List the hosts and their groups. With -o json: the whole inventory as Ansible prints its own.

Exit codes: 0 done, 1 the inventory has errors or the limit matches nothing.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.inventoryList(f) },
	}
	f.addTo(cmd, true)
	return cmd
}

func newInventoryGraphCommand(a *app) *cobra.Command {
	var f inventoryFlags
	cmd := &cobra.Command{
		Use:   "graph",
		Short: "Show the tree of groups and hosts",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			inv, hosts, err := a.limited(f.limit)
			if err != nil {
				return err
			}
			return writeGraph(a.out, inv, hosts)
		},
	}
	cmd.Flags().StringVarP(&f.limit, "limit", "l", "", "only hosts of this `pattern`")
	return cmd
}

func newInventoryHostCommand(a *app) *cobra.Command {
	var f inventoryFlags
	cmd := &cobra.Command{
		Use:   "host ADDRESS",
		Short: "Show the merged variables of a host and where each was set",
		Long: `Show the merged variables of a host, who set each, and where. Secrets are masked unless
--show-secrets is given. With -o json: the variables alone, as Ansible prints them.

Exit codes: 0 done, 1 the inventory has errors or there is no such host.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.inventoryHost(args[0], f) },
	}
	f.addTo(cmd, false)
	return cmd
}

func (f *inventoryFlags) addTo(cmd *cobra.Command, limit bool) {
	outputFlag(cmd, &f.format, "text", "json")
	cmd.Flags().BoolVar(&f.secrets, "show-secrets", false, "print secrets instead of masking them")
	if limit {
		cmd.Flags().StringVarP(&f.limit, "limit", "l", "", "only hosts of this `pattern`")
	}
}

func (a *app) limited(pattern string) (*inventory.Inventory, []string, error) {
	inv, err := a.loadInventory(nil)
	if err != nil {
		return nil, nil, err
	}
	hosts, err := inv.Limit(pattern)
	return inv, hosts, err
}

func (a *app) inventoryList(f inventoryFlags) error {
	inv, hosts, err := a.limited(f.limit)
	if err != nil {
		return err
	}
	if f.format == "json" {
		return writeJSON(a.out, ansibleJSON(inv, hosts, f.secrets))
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOST\tGROUPS\tVARIABLES")
	for _, h := range hosts {
		fmt.Fprintf(w, "%s\t%s\t%d\n", h, strings.Join(inv.GroupsOf(h), " "), len(inv.Vars(h)))
	}
	return w.Flush()
}

func (a *app) inventoryHost(host string, f inventoryFlags) error {
	inv, err := a.loadInventory(nil)
	if err != nil {
		return err
	}
	if !slices.Contains(inv.Hosts(), host) {
		if near := diag.Nearest(host, inv.Hosts()); near != "" {
			return fmt.Errorf("no host %q in %s; did you mean %s?", host, a.inventory, near)
		}
		return fmt.Errorf("no host %q in %s", host, a.inventory)
	}
	vars := inv.Vars(host)
	if f.format == "json" {
		return writeJSON(a.out, plainVars(vars, f.secrets))
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tVALUE\tSET BY\tWHERE")
	for _, name := range vars.Names() {
		v := vars[name]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", name, oneLine(plainVar(name, v, f.secrets)), v.From, where(v.Pos))
	}
	return w.Flush()
}

func where(p diag.Pos) string {
	if p.Line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// writeGraph prints groups as branches and hosts as leaves, each group below its parents.
func writeGraph(w io.Writer, inv *inventory.Inventory, hosts []string) error {
	var b strings.Builder
	var branch func(g *inventory.Group, depth int)
	leaf := func(h string, depth int) { fmt.Fprintf(&b, "%s%s\n", strings.Repeat("  ", depth), h) }
	branch = func(g *inventory.Group, depth int) {
		leaf(g.Name+":", depth)
		for _, c := range g.Children {
			branch(inv.Group(c), depth+1)
		}
		for _, h := range g.OwnHosts() {
			if slices.Contains(hosts, h) {
				leaf(h, depth+1)
			}
		}
	}
	leaf("all:", 0)
	for _, g := range topGroups(inv) {
		if slices.ContainsFunc(g.Hosts, func(h string) bool { return slices.Contains(hosts, h) }) {
			branch(g, 1)
		}
	}
	for _, h := range hosts {
		if len(inv.GroupsOf(h)) == 0 {
			leaf(h, 1)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// topGroups are those that are no other group's child.
func topGroups(inv *inventory.Inventory) []*inventory.Group {
	groups := inv.Groups()
	return slices.DeleteFunc(slices.Clone(groups), func(g *inventory.Group) bool {
		return slices.ContainsFunc(groups, func(p *inventory.Group) bool { return slices.Contains(p.Children, g.Name) })
	})
}
