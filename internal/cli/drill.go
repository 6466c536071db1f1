package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/drill"
	"pigsty/internal/engine"
	"pigsty/internal/model"
	"pigsty/internal/module"
	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/fault"
	"pigsty/internal/sandbox"
	"pigsty/internal/view"
)

// drillFlags are what a drill is told.
type drillFlags struct {
	fault, cluster string
	lasts          time.Duration
	user, database string
	plan, yes      bool
	named          string // --yes-destroy
	output, page   string
}

func newDrillCommand(a *app) *cobra.Command {
	var f drillFlags
	cmd := &cobra.Command{
		Use:   "drill [FAULT CLUSTER]",
		Short: "Break a healthy cluster on purpose and measure how it recovers",
		Long: `Inject one fault into a healthy cluster while clients write and read through its services, wait
until everything is healthy again, and report: when writes and reads stopped and resumed, what each
phase of the recovery took, what was lost or doubled, and whether two members ever took writes at once.
Without arguments, list the faults.

The clients' table is in a schema of its own, pigsty_drill, which is removed afterwards. Where
acknowledged writes may be lost, the cluster's name has to be typed.

Exit code 0: nothing acknowledged was lost and everything is healthy again. 2: writes were lost, no
more than asynchronous replication may lose; or, with --plan, there is something to do. 1: anything
else.`,
		Example: `  pigsty drill
  pigsty drill switchover pg-test
  pigsty drill power-cut pg-test --plan
  pigsty drill cut-peers pg-test --for 30s --yes-destroy pg-test --page drill.html`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 || len(args) > 2 {
				return errors.New("name a fault and a cluster; pigsty drill lists the faults")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listFaults(f.output)
			}
			f.fault, f.cluster = args[0], args[1]
			return a.drill(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&f.lasts, "for", 0, "how long the fault lasts; its own time when left out, and longer than the leader's key lasts where that is the point")
	flags.StringVar(&f.user, "user", "", "`user` of the inventory who writes and reads through the pool; the first that can")
	flags.StringVar(&f.database, "database", "", "`database` that is written to; the first that the user may use")
	flags.BoolVar(&f.plan, "plan", false, "only say what would be done")
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	flags.StringVar(&f.named, "yes-destroy", "", "do not ask, also where writes may be lost: the cluster's `name` once more")
	flags.StringVar(&f.page, "page", "", "write the report as a page to this `file` of HTML as well")
	outputFlag(cmd, &f.output, "table", "json", "yaml")
	cmd.AddCommand(newDrillEndCommand(a))
	return cmd
}

func newDrillEndCommand(a *app) *cobra.Command {
	var f verbFlags
	cmd := &cobra.Command{
		Use:   "end CLUSTER",
		Short: "End a fault of an earlier drill before its time",
		Long: `End what a drill left on the nodes of a cluster and of etcd. Faults end by themselves after their
time; this is for those who do not want to wait for it.`,
		Example: `  pigsty drill end pg-test`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.operateOn(cmd.Context(), "drill end", f, func(site *controller.Site, dial controller.Dialer) (*controller.Work, error) {
				return site.PrepareFault(cmd.Context(), args[0], module.EndFaults(), dial)
			})
		},
	}
	f.add(cmd, false)
	return cmd
}

func (a *app) listFaults(output string) error {
	if output != "table" {
		return encode(a.out, output, module.Faults())
	}
	view.Faults(a.out, module.Faults(), view.Color(a.out))
	return nil
}

// drill prepares a drill, says what it would do, asks, and carries it out.
func (a *app) drill(ctx context.Context, f drillFlags) error {
	site, dial, err := a.reach()
	if err != nil {
		return err
	}
	faults := module.Faults()
	n := slices.IndexFunc(faults, func(x fault.Fault) bool { return x.Name == f.fault })
	if n < 0 {
		return fmt.Errorf("fault %q is not known: pigsty drill lists them", f.fault)
	}
	if c := site.Deployment.Cluster(f.cluster); f.lasts == 0 && c != nil {
		f.lasts = drill.Lasting(c, faults[n])
	}
	d, err := drill.New(site, f.cluster, dial, drill.Options{
		Fault: f.fault, Title: faults[n].Title, Lasts: f.lasts, User: f.user, Database: f.database,
		Command: "pigsty " + strings.Join(os.Args[1:], " "), Progress: func(text string) { fmt.Fprintln(a.err, text) },
	})
	if err != nil {
		return err
	}
	var outlet *sandbox.Outlet
	work, err := site.PrepareFault(ctx, f.cluster, orOutside(ctx, f, &outlet), dial)
	if err != nil {
		return err
	}
	defer work.Close()
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go d.Watch(watching)
	if err := d.Check(ctx); err != nil {
		return err
	}
	if !f.plan {
		if err := work.Lock(ctx, "pigsty drill "+f.fault, a.waiting(work)); err != nil {
			return err
		}
	}
	plan := work.Plan(ctx)
	if err := a.showDrill(d, plan, f); err != nil || f.plan || plan.Failed() {
		return cmp.Or(err, planExit(plan))
	}
	if err := a.agreed(plan, f); err != nil {
		return err
	}
	var broken drill.Fault = &drill.Ordered{Site: site, Cluster: f.cluster, Dial: dial, Work: work}
	if outlet != nil {
		broken = &drill.PowerCut{Power: outlet}
	}
	report, err := d.Run(ctx, broken)
	if report == nil {
		return err
	}
	return cmp.Or(a.tellDrill(report, f), err, drillExit(report))
}

// orOutside is the fault, or for a leader whose machine is a node of a sandbox here its power, which
// no order on the node can cut.
func orOutside(ctx context.Context, f drillFlags, outlet **sandbox.Outlet) operation.Steps {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		if f.fault == fault.PowerCut {
			n := c.Leader().Node
			addr, err := netip.ParseAddr(cmp.Or(n.Connect.AnsibleHost, n.Addr))
			if err == nil {
				*outlet, err = sandbox.Find(ctx, addr)
			}
			if err == nil && *outlet != nil {
				return module.PowerCutOutside()(d, c)
			}
		}
		return module.Fault(f.fault, f.lasts)(d, c)
	}
}

// showDrill says what would be done; beside an answer in JSON or YAML it goes to standard error.
func (a *app) showDrill(d *drill.Drill, plan *engine.Plan, f drillFlags) error {
	if f.plan && f.output != "table" {
		return encode(a.out, f.output, plan)
	}
	w := a.out
	if f.output != "table" {
		w = a.err
	}
	view.Plan(w, plan, view.PlanOptions{Color: view.Color(w)})
	for _, choice := range d.Choices() {
		fmt.Fprintln(w, choice)
	}
	return nil
}

// agreed asks. Where acknowledged writes may be lost, the cluster's name has to be typed.
func (a *app) agreed(plan *engine.Plan, f drillFlags) error {
	in, isFile := a.in.(*os.File)
	_, terminal := view.Terminal(a.out)
	terminal = terminal && isFile && f.output == "table"
	loses := losesData(plan)
	switch {
	case f.named != "" && f.named != f.cluster:
		return fmt.Errorf("nothing was broken: %q was typed, and not %s", f.named, f.cluster)
	case f.named == f.cluster, f.yes && !loses:
		return nil
	case !terminal && loses:
		return fmt.Errorf("nothing was broken: acknowledged writes may be lost; say --yes-destroy %s to drill without being asked", f.cluster)
	case !terminal:
		return errors.New("nothing was broken: say --yes to drill without being asked")
	case loses:
		fmt.Fprint(a.out, "Acknowledged writes may be lost. Type the cluster's name to break it: ")
	default:
		fmt.Fprint(a.out, "Break it? [y/N] ")
	}
	line, _ := bufio.NewReader(in).ReadString('\n')
	line = strings.TrimSpace(line)
	if loses && line == f.cluster || !loses && strings.EqualFold(line, "y") {
		return nil
	}
	return errors.New("nothing was broken")
}

// losesData tells whether some change of a plan may cost data.
func losesData(plan *engine.Plan) bool {
	for _, n := range plan.Nodes {
		for _, c := range n.Changes {
			if c.Change != nil && c.Change.Impact == resource.DataLoss {
				return true
			}
		}
	}
	return false
}

// tellDrill writes the report in every form that was asked for.
func (a *app) tellDrill(report *drill.Report, f drillFlags) error {
	var failed error
	if f.output == "table" {
		view.Drill(a.out, report, view.Color(a.out))
	} else {
		failed = encode(a.out, f.output, report)
	}
	if f.page == "" {
		return failed
	}
	file, err := os.Create(f.page)
	if err != nil {
		return errors.Join(failed, err)
	}
	return errors.Join(failed, view.DrillPage(file, report), file.Close())
}

func drillExit(report *drill.Report) error {
	switch {
	case report.Verdict.Passed:
		return nil
	case report.Verdict.Tolerated:
		return &exitError{code: exitPending}
	}
	return &exitError{code: exitFailed}
}
