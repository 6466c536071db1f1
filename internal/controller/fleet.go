package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"pigsty/internal/agent"
	"pigsty/internal/engine"
	"pigsty/internal/fact"
	"pigsty/internal/model"
	"pigsty/internal/remote"
)

// Dialer opens a stream to the agent of a node. Cancelling ctx ends the attempt, not the stream.
type Dialer func(ctx context.Context, n *model.Node) (io.ReadWriteCloser, error)

// maxDialing bounds how many connections are being opened at once: each is an ssh process.
const maxDialing = 64

// SSH is the dialer for real nodes.
func SSH() (Dialer, error) {
	binary, err := remote.OwnBinary()
	if err != nil {
		return nil, err
	}
	dir, err := controlDir()
	if err != nil {
		return nil, err
	}
	own, err := ownAddresses()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, n *model.Node) (io.ReadWriteCloser, error) {
		return remote.Dial(ctx, target(n, own), binary, dir)
	}, nil
}

// controlDir holds the sockets of shared connections. The path is short because a socket's may
// not be longer than 108 bytes.
func controlDir() (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("pigsty-ssh-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, private(dir)
}

// private refuses a folder that anybody else owns or can look into: who prepared it before us
// could sit between ssh and the nodes.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm() != 0o700 || !known || int(owner.Uid) != os.Getuid() {
		return fmt.Errorf("ssh connections would pass through %s, which is not a folder of yours alone: remove it", dir)
	}
	return nil
}

func ownAddresses() ([]string, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	own := []string{"localhost"}
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok {
			own = append(own, ip.IP.String())
		}
	}
	return own, nil
}

// reach are the variables that say how to reach a node. Those of becoming root, of Python and of
// precedence do not.
var reach = []string{
	"ansible_host", "ansible_port", "ansible_user", "ansible_ssh_private_key_file",
	"ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_connection",
}

// target reads a node's connection variables. A node that is this machine, with nothing said of
// how to reach it, needs no ssh.
func target(n *model.Node, own []string) remote.Target {
	c := n.Connect
	t := remote.Target{
		Host: cmp.Or(c.AnsibleHost, n.Addr), User: c.AnsibleUser, KeyFile: c.AnsibleSshPrivateKeyFile,
		CommonArgs: strings.TrimSpace(c.AnsibleSshCommonArgs + " " + c.AnsibleSshExtraArgs),
		NoSudo:     !c.AnsibleBecome, SudoPassword: c.AnsibleBecomePassword,
	}
	// The default of 22 must not override what the user's own ssh configuration says.
	if _, given := n.Vars["ansible_port"]; given {
		t.Port = c.AnsiblePort
	}
	said := slices.ContainsFunc(reach, func(name string) bool {
		_, given := n.Vars[name]
		return given
	})
	t.Local = c.AnsibleConnection == "local" || !said && slices.Contains(own, t.Host)
	return t
}

// Fleet is the connections to a site's nodes.
type Fleet struct {
	Sessions map[string]*agent.Session
	Lost     map[string]error // nodes that could not be reached or asked, and why
}

// Connect opens sessions to the nodes and asks each for its facts. A node that fails is in
// Lost, with the reason; the others go on.
func (s *Site) Connect(ctx context.Context, nodes []*model.Node, dial Dialer) *Fleet {
	f, facts := s.dial(ctx, nodes, dial)
	s.Deployment.Observe(facts)
	return f
}

// join adds the sessions of another fleet.
func (f *Fleet) join(other *Fleet, _ map[string]fact.Node) {
	maps.Copy(f.Sessions, other.Sessions)
	maps.Copy(f.Lost, other.Lost)
	for _, session := range f.Sessions {
		session.Meet(f.Sessions)
	}
}

// dial is Connect but for what becomes of the facts.
func (s *Site) dial(ctx context.Context, nodes []*model.Node, dial Dialer) (*Fleet, map[string]fact.Node) {
	f := &Fleet{Sessions: map[string]*agent.Session{}, Lost: map[string]error{}}
	facts := map[string]fact.Node{}
	var mu sync.Mutex
	var group sync.WaitGroup
	slots := make(chan struct{}, maxDialing)
	for _, n := range nodes {
		group.Go(func() {
			slots <- struct{}{}
			session, known, err := s.connect(ctx, n, dial)
			<-slots
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				f.Lost[n.Addr] = err
				return
			}
			f.Sessions[n.Addr], facts[n.Addr] = session, known
		})
	}
	group.Wait()
	for _, session := range f.Sessions {
		session.Meet(f.Sessions)
	}
	return f, facts
}

func (s *Site) connect(ctx context.Context, n *model.Node, dial Dialer) (*agent.Session, fact.Node, error) {
	if err := ctx.Err(); err != nil {
		return nil, fact.Node{}, err
	}
	stream, err := dial(ctx, n)
	if err != nil {
		return nil, fact.Node{}, err
	}
	session, err := agent.NewSession(stream, s.Authority)
	if err != nil {
		return nil, fact.Node{}, errors.Join(err, stream.Close())
	}
	session.SealWith(s.repositoryKey)
	known, err := session.Facts(ctx, query(n))
	if err != nil {
		return nil, fact.Node{}, errors.Join(fmt.Errorf("ask for facts: %w", err), session.Close())
	}
	return session, known, nil
}

// query names what to look at on a node.
func query(n *model.Node) fact.Query {
	// Also where no member is wanted: there may have been one.
	q := fact.Query{DataDir: n.Param.NodeDataDir, EtcdDataDir: n.Dcs.EtcdDataDir}
	if n.Pg != nil {
		q.PgData, q.PatroniPort = n.Pg.Param.PgData, n.Pg.Param.PatroniPort
	}
	return q
}

// Close ends all sessions at once. How an agent ends says nothing about the run.
func (f *Fleet) Close() {
	var group sync.WaitGroup
	for _, s := range f.Sessions {
		group.Go(func() { _ = s.Close() })
	}
	group.Wait()
}

// Leave is Close for a run that has only looked at the nodes: it waits for no agent.
func (f *Fleet) Leave() {
	for _, s := range f.Sessions {
		_ = s.Leave()
	}
}

// engineSessions is the sessions as the engine takes them.
func (f *Fleet) engineSessions() map[string]engine.Session {
	out := make(map[string]engine.Session, len(f.Sessions))
	for node, s := range f.Sessions {
		out[node] = s
	}
	return out
}
