package postgres

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"pigsty/internal/haproxy"
)

const (
	drainPause = 500 * time.Millisecond
	// drainDoubts is how many looks in a row must fail before something counts as gone.
	drainDoubts = 5
	// answerLimit is how long anybody may take to answer in such a look.
	answerLimit = 2 * time.Second
)

// drain serves the clients that stay until the last has left, the time is over, or somebody is gone
// whom they depend on.
func (k *keeper) drain(ctx context.Context) error {
	began, doubts := time.Now(), 0
	for time.Since(began) < drainLimit {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(drainPause):
		}
		if k.sound(ctx) {
			doubts = 0
		} else if doubts++; doubts >= drainDoubts {
			return errors.New("the member that serves those who stay is gone: the handover ends here")
		}
		sessions, err := k.route(ctx)
		if err != nil {
			return err
		}
		clients, err := k.serve(ctx)
		if err != nil {
			return err
		}
		if !sessions && !clients {
			return nil
		}
	}
	return nil
}

// sound tells whether the new leader leads and the pools that sessions stay at can be reached.
func (k *keeper) sound(ctx context.Context) bool {
	client, err := k.API.Open(k.host)
	if err != nil {
		return false
	}
	url := k.ToURL
	if k.leader == k.From {
		url = k.FromURL
	}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	if m, err := client.At(url).Member(ctx); err != nil || !m.leading() {
		return false
	}
	for _, server := range k.progress.Drained {
		pool := k.Pools[member(server)]
		if !answers(pool.Host, pool.Port) {
			return false
		}
	}
	return true
}

// answers tells whether anybody takes connections there.
func answers(host string, port int) bool {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, strconv.Itoa(port)), answerLimit)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// route gives HAProxy back what it can judge by itself, and has new sessions go to the new leader
// once it is seen. It tells whether there are sessions left that would be cut.
func (k *keeper) route(ctx context.Context) (bool, error) {
	if len(k.progress.Unchecked) == 0 {
		return false, nil
	}
	servers, err := k.servers(ctx)
	if err != nil {
		return false, err
	}
	stays := false
	for _, server := range slices.Clone(k.progress.Unchecked) {
		s, drained := servers[server], slices.Contains(k.progress.Drained, server)
		switch {
		case drained && k.serves(server):
			// It leads again: what is there stays there, and more may come.
			err = k.recheck(ctx, server, "set server "+server+" state ready", "enable health "+server)
		case drained && s.Sessions == 0:
			err = k.recheck(ctx, server, k.shut(server)...)
		case drained:
			stays = true
		case k.serves(server):
			err = k.recheck(ctx, server, "enable health "+server)
		case k.successorUp(servers, server):
			k.progress.Drained = append(k.progress.Drained, server)
			if err = k.save(); err == nil {
				err = k.haproxy().Say(ctx, "set server "+server+" state drain")
			}
			stays = true
		default:
			stays = true
		}
		if err != nil {
			return false, err
		}
	}
	return stays, nil
}

// service is the one that a server belongs to.
func (k *keeper) service(server string) PooledService {
	n := slices.IndexFunc(k.Services, func(s PooledService) bool { return s.Backend == backend(server) })
	if n < 0 {
		return PooledService{}
	}
	return k.Services[n]
}

// serves tells whether HAProxy's own check of a server will succeed from now on.
func (k *keeper) serves(server string) bool {
	leads, s := member(server) == k.leader, k.service(server)
	switch {
	case s.Leader:
		return leads
	case leads:
		return !s.Replicas
	}
	return k.followsHere(member(server))
}

// followsHere tells whether a member has come back as a replica.
func (k *keeper) followsHere(name string) bool {
	if name != k.From {
		return true
	}
	client, err := k.API.Open(k.host)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerLimit)
	defer cancel()
	m, err := client.At(k.FromURL).Member(ctx)
	return err == nil && m.State == "running" && m.Role == "replica"
}

// successorUp tells whether a server may be closed to new sessions: there is another that takes
// them.
func (k *keeper) successorUp(servers map[string]haproxy.Server, server string) bool {
	for name, s := range servers {
		if name != server && backend(name) == backend(server) && s.Up() {
			return true
		}
	}
	return false
}

// shut has HAProxy give up a server that has no sessions left and check it again. It is marked
// down first: until the checks have failed often enough it would get sessions.
func (k *keeper) shut(server string) []string {
	return []string{"set server " + server + " health down", "enable health " + server, "set server " + server + " state ready"}
}

// recheck leaves a server to HAProxy's own checks.
func (k *keeper) recheck(ctx context.Context, server string, commands ...string) error {
	if err := k.haproxy().Say(ctx, commands...); err != nil {
		return err
	}
	gone := func(s string) bool { return s == server }
	k.progress.Unchecked = slices.DeleteFunc(k.progress.Unchecked, gone)
	k.progress.Drained = slices.DeleteFunc(k.progress.Drained, gone)
	return k.save()
}

// serve looks after the clients that have stayed at this node's pool, and tells whether there are
// any. Whoever had pgBouncer reread its settings has led them home, where nobody can write.
func (k *keeper) serve(ctx context.Context) (bool, error) {
	if !k.progress.Carries {
		return false, nil
	}
	console, err := openConsole(ctx, k.host, *k.Console)
	if err != nil {
		return false, err
	}
	defer console.close()
	clients, err := k.staying(ctx, console)
	if err != nil {
		return false, err
	}
	if len(clients) == 0 && time.Since(k.progress.Moved) > routeLimit {
		err := k.goHome(ctx)
		k.progress.Carries, k.progress.Led = false, ""
		return false, errors.Join(err, k.save())
	}
	databases, err := console.show(ctx, "DATABASES")
	if err != nil {
		return false, err
	}
	for _, d := range databases {
		if d["name"] != consoleDatabase && strings.HasPrefix(d["host"], "/") {
			return true, k.leadAgain(ctx, console)
		}
	}
	return true, nil
}

// leadAgain leads the pool to the leader as it did, with the databases that it serves now.
func (k *keeper) leadAgain(ctx context.Context, console *poolConsole) error {
	if err := k.learnHome(); err != nil {
		return err
	}
	k.progress.Led = ledTo(k.progress.Home, k.Pools[k.leader])
	if err := k.save(); err != nil {
		return err
	}
	return k.reread(ctx, console, k.progress.Led)
}
