package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Cut)(nil)
	_                   = resource.Register(func() resource.Resource { return &Cut{} })
)

// Cut keeps the leader's node for a while from sending anything to others, which ends every
// connection with them; other machines notice nothing. Packets vanish as on a cable that is cut:
// rules send them to the loopback interface, which drops what is for nobody there. It is an order
// and no state. List it on the leader's node.
type Cut struct {
	Leader
	Fault string        `json:"fault"` // CutPeers or CutDCS
	Hosts []string      `json:"hosts"` // names or addresses of whom the node loses
	Ports string        `json:"ports"` // a port or two with a hyphen, of the others' or its own; empty = all
	Lasts time.Duration `json:"lasts"`
}

// Marks of the routing rules that make a cut, by which they are taken away. The priority comes
// before the main table's 32766 and after the node's own addresses.
const (
	cutTable    = 7676
	cutProtocol = 199
	cutPriority = 7676
)

func (c *Cut) Kind() string { return "fault_cut" }
func (c *Cut) Name() string { return c.Fault }

// Diff tells whom the node loses, and refuses to cut off whoever asks for it.
func (c *Cut) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	s, err := c.standing(ctx, h)
	if err != nil {
		return nil, err
	}
	lost, err := c.addresses(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.refuseOwn(h, lost); err != nil {
		return nil, err
	}
	change := &resource.Change{
		Action: resource.Run, Impact: resource.Switchover,
		Effect: "the leader stays while all members answer it, or else stops before a replica takes over",
	}
	if c.Fault == CutPeers {
		change = c.lost(s, "clients still reach "+c.Instance+"; a replica takes over when the leader's key expires")
	}
	for _, host := range c.Hosts {
		change.Add(host, "reachable from "+c.Instance, "cut off for "+c.Lasts.String())
	}
	return change, nil
}

// Apply returns when nothing gets through any more.
func (c *Cut) Apply(ctx context.Context, h *resource.Host) error {
	lost, err := c.addresses(ctx)
	if err != nil {
		return err
	}
	heal := ending{
		argv:  []string{"ip", "-force", "-batch", "-"},
		stdin: fmt.Sprintf("rule flush protocol %d\nroute flush table %d\n", cutProtocol, cutTable),
	}
	return inject(ctx, h, c.Fault, c.Lasts, heal, func() error {
		_, err := h.Exec.Run(ctx, resource.Command{Argv: []string{"ip", "-batch", "-"}, Stdin: []byte(c.rules(lost))})
		return err
	})
}

// rules are commands for ip. The route comes first: a rule without it lets everything pass.
func (c *Cut) rules(lost []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "route replace default dev lo table %d\n", cutTable)
	for _, addr := range lost {
		which := []string{""}
		if c.Ports != "" {
			which = []string{" ipproto tcp dport " + c.Ports, " ipproto tcp sport " + c.Ports}
		}
		for _, w := range which {
			fmt.Fprintf(&b, "rule add pref %d protocol %d to %s%s lookup %d\n", cutPriority, cutProtocol, addr, w, cutTable)
		}
	}
	return b.String()
}

// addresses are those of the hosts to be lost, without the node's own.
func (c *Cut) addresses(ctx context.Context) ([]string, error) {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var lost []string
	for _, host := range c.Hosts {
		ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
		if err != nil {
			return nil, fmt.Errorf("find the address of %s: %w", host, err)
		}
		for _, ip := range ips {
			if ip.IP.To4() == nil {
				return nil, fmt.Errorf("%s has the address %s: a drill can cut IPv4 alone, and what is left would make the cut none", host, ip.IP)
			}
			mine := slices.ContainsFunc(own, func(a net.Addr) bool {
				n, ok := a.(*net.IPNet)
				return ok && n.IP.Equal(ip.IP)
			})
			if !mine {
				lost = append(lost, ip.IP.String())
			}
		}
	}
	slices.Sort(lost)
	lost = slices.Compact(lost)
	if len(lost) == 0 {
		return nil, errors.New("all that is to be cut off runs on this node itself")
	}
	return lost, nil
}

// refuseOwn is an error when the cut would hit the connection by which this node is told of it.
func (c *Cut) refuseOwn(h *resource.Host, lost []string) error {
	const elsewhere = "run the drill from a machine that is no member of the cluster and of etcd"
	from, err := caller(h)
	if err != nil {
		return err
	}
	switch {
	case from == "":
		return fmt.Errorf("this is the node to be cut off: nobody could watch it from here; %s", elsewhere)
	case slices.Contains(lost, from) && (c.Ports == "" || portsHold(c.Ports, sshPort)):
		return fmt.Errorf("you come from %s, which is to be cut off: the connection would end with the cut; %s", from, elsewhere)
	}
	return nil
}

const sshPort = 22

// portsHold tells whether the port is among those that "2379-2380" names.
func portsHold(ports string, port int) bool {
	first, last, two := strings.Cut(ports, "-")
	if !two {
		last = first
	}
	from, err := strconv.Atoi(first)
	if err != nil {
		return true
	}
	to, err := strconv.Atoi(last)
	return err != nil || from <= port && port <= to
}
