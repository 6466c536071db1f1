package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"pigsty/internal/haproxy"
	"pigsty/internal/resource"
)

// keeper carries out one node's part of a handover.
type keeper struct {
	*handoverTask
	host     *resource.Host
	progress handoverProgress
	leader   string // who leads when it is over; empty until that is known
}

// openKeeper reads the task, and how far it has come.
func openKeeper(h *resource.Host, path string) (*keeper, error) {
	text, err := os.ReadFile(h.Path(path))
	if err != nil {
		return nil, err
	}
	k := &keeper{handoverTask: &handoverTask{}, host: h}
	if err := json.Unmarshal(text, k.handoverTask); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// KeepHandover carries out the task in the file, from holding clients to the last one's leaving. It
// undoes nothing: EndHandover does, however this has ended. A task that was begun before, and whose
// process was killed, is ended here and now.
func KeepHandover(ctx context.Context, h *resource.Host, path string) error {
	k, err := openKeeper(h, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it has been ended
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(h.Path(k.path(progressFile))); err == nil {
		return EndHandover(ctx, h, path)
	}
	before := k.Before
	k.progress = handoverProgress{
		Phase: holding, Carries: before.Carries || k.Leads, Moved: before.Moved, Led: before.Led, Home: before.Home,
		Unchecked: before.Unchecked, Drained: before.Drained,
	}
	if err := k.handOver(ctx); err != nil {
		k.progress.Phase, k.progress.Error = failed, err.Error()
		var refused *PatroniError
		if errors.As(err, &refused) {
			k.progress.Refused, k.progress.Error = refused.Status, refused.Text
		}
		return errors.Join(err, k.save())
	}
	return k.drain(ctx)
}

// save tells how far the task has come.
func (k *keeper) save() error {
	text, err := json.Marshal(k.progress)
	if err != nil {
		return err
	}
	return k.host.WriteFile(k.path(progressFile), text, 0o600)
}

// note tells of something that does not work and does not matter enough to stop.
func (k *keeper) note(format string, args ...any) {
	k.progress.Notes = append(k.progress.Notes, fmt.Sprintf(format, args...))
}

// handOver returns when the new leader serves the clients of this node's pool.
func (k *keeper) handOver(ctx context.Context) error {
	// Written before each thing is done, for EndHandover to find.
	if err := k.save(); err != nil {
		return err
	}
	if err := k.holdSessions(ctx); err != nil {
		k.note("clients through HAProxy on %s are cut: %v", k.Self, err)
	}
	began := time.Now()
	// Elsewhere clients who have stayed wait at the pool of the old leader. At the new one they must
	// not go that way again.
	if k.progress.Carries && (k.Leads || k.To == k.Self) {
		if err := k.pause(ctx); err != nil {
			return err
		}
	}
	k.progress.Phase = held
	if err := k.save(); err != nil {
		return err
	}
	paused := time.Now()
	leader, err := k.promoted(ctx)
	if err != nil {
		return err
	}
	k.leader, k.progress.Promotion = leader, time.Since(paused)
	if k.progress.Carries {
		if err := k.lead(ctx, leader); err != nil {
			return err
		}
		k.progress.Pause = time.Since(began)
	}
	k.progress.Phase = moved
	return k.save()
}

// promoted waits until the new leader takes writes, and names it. On the old leader's node it asks
// Patroni for the switchover; elsewhere it may learn that there is none, and that clients are to
// go on as before.
func (k *keeper) promoted(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, promotionLimit)
	defer cancel()
	client, err := k.API.Open(k.host)
	if err != nil {
		return "", err
	}
	asked := make(chan error, 1)
	if k.Leads {
		go func() { asked <- client.At(k.FromURL).Switchover(ctx, k.From, k.To, promotionLimit) }()
	}
	for {
		m, err := client.At(k.ToURL).Member(ctx)
		if err == nil && m.State == "running" && m.leading() {
			return k.To, nil
		}
		if _, err := os.Stat(k.host.Path(k.path(cancelFile))); err == nil && !k.Leads {
			return k.From, nil
		}
		select {
		case err := <-asked:
			if err != nil {
				return "", err
			}
		case <-ctx.Done():
			return "", fmt.Errorf("%s did not take over within %s; see pigsty pg list %s", k.To, promotionLimit, k.Cluster)
		case <-time.After(k.pace()):
		}
	}
}

// pace is how often to ask for the new leader. Patroni opens connections to answer, on a machine
// that has enough to do; where nobody waits, later will do.
func (k *keeper) pace() time.Duration {
	if k.progress.Carries {
		return 100 * time.Millisecond
	}
	return drainPause
}

// primaryHere tells whether this node's own server takes writes.
func (k *keeper) primaryHere(ctx context.Context) bool {
	conn, err := k.Server.open(ctx, k.host, maintenance)
	if err != nil {
		return false
	}
	defer conn.Close()
	var replica bool
	return conn.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&replica) == nil && !replica
}

// holdSessions has HAProxy on this node keep the sessions that it has, and go on opening new ones
// at the old leader's pool, where they wait.
func (k *keeper) holdSessions(ctx context.Context) error {
	if k.HAProxy == "" {
		return nil
	}
	servers := k.progress.Unchecked
	for _, s := range k.Services {
		servers = append(servers, s.Backend+"/"+k.From)
		if !s.Leader {
			servers = append(servers, s.Backend+"/"+k.To)
		}
	}
	k.progress.Unchecked = unique(servers)
	if err := k.save(); err != nil {
		return err
	}
	for _, server := range k.progress.Unchecked {
		if err := k.haproxy().Say(ctx, "disable health "+server); err != nil {
			return err
		}
	}
	return nil
}

func (k *keeper) haproxy() haproxy.Admin { return haproxy.Admin(k.host.Path(k.HAProxy)) }

// servers are HAProxy's by backend/server.
func (k *keeper) servers(ctx context.Context) (map[string]haproxy.Server, error) {
	all, err := k.haproxy().Servers(ctx)
	named := map[string]haproxy.Server{}
	for _, s := range all {
		named[s.Backend+"/"+s.Name] = s
	}
	return named, err
}

func unique(list []string) []string {
	seen, out := map[string]bool{}, []string{}
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// backend is the part of backend/server before the stroke, and member the part after it.
func backend(server string) string { return server[:strings.LastIndex(server, "/")] }
func member(server string) string  { return server[strings.LastIndex(server, "/")+1:] }
