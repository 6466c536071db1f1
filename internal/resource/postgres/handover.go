package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pigsty/internal/resource"
)

const (
	// pauseLimit is how long transactions may take to end once the pool is paused.
	pauseLimit = 5 * time.Second
	// promotionLimit is how long clients are held for the new leader.
	promotionLimit = 30 * time.Second
	// drainLimit is how long clients that stay connected to the old leader's pool are served
	// there.
	drainLimit = 5 * time.Minute
)

// Handover is what a member's node needs to know to keep the clients of the cluster's pools while
// leadership moves. On the old leader's node pgBouncer is paused between two transactions of each
// client and then leads to the new leader's pool; on every node HAProxy keeps its sessions. Each node
// does its part by itself, in a unit of systemd's that undoes whatever is left to undo when it ends,
// however it ends. The virtual address moves with the leader, which cuts those that came by it.
type Handover struct {
	Cluster string     `json:"cluster"`
	Self    string     `json:"self"`   // the member on this node
	API     PatroniAPI `json:"api"`    // of that member
	Server  Conn       `json:"server"` // its PostgreSQL
	// Console is pgBouncer's on this node; nil where it does not run.
	Console *Conn `json:"console,omitempty"`
	// Databases is the file of the databases that pgBouncer serves.
	Databases string `json:"databases"`
	// Pools are the addresses of all members' pools, host and port by member.
	Pools map[string]PoolAddress `json:"pools"`
	// HAProxy is its admin socket on this node; empty where it does not run.
	HAProxy string `json:"haproxy,omitempty"`
	// Services are those that lead to pools.
	Services []PooledService `json:"services,omitempty"`
	// VIP is the cluster's virtual address; empty where it has none.
	VIP string `json:"vip,omitempty"`
}

// PoolAddress is where a member's pool listens.
type PoolAddress struct {
	Host string `json:"host"`
	Port int    `json:"port"`
}

// PooledService is a backend of HAProxy whose servers are pools, and whom its check lets serve.
type PooledService struct {
	Backend  string `json:"backend"`
	Leader   bool   `json:"leader,omitempty"`   // the leader alone
	Replicas bool   `json:"replicas,omitempty"` // replicas alone
}

// handoverOrder is one handover, as one node's part of it is told.
type handoverOrder struct {
	From    string `json:"from"`
	To      string `json:"to"`
	FromURL string `json:"from_url"` // Patroni's API there
	ToURL   string `json:"to_url"`
	// Cancel says that the handover will not be: From leads on.
	Cancel bool `json:"cancel,omitempty"`
}

func (o *Handover) AideKind() string { return "handover" }

// Assist does a member's part on a node other than the leader's, and returns when clients there
// are held.
func (o *Handover) Assist(ctx context.Context, h *resource.Host, order json.RawMessage) error {
	var told handoverOrder
	if err := json.Unmarshal(order, &told); err != nil {
		return err
	}
	if told.Cancel {
		return o.cancel(h)
	}
	p, err := o.begin(ctx, h, told, held)
	if err == nil && len(p.Notes) > 0 {
		err = errors.New(strings.Join(p.Notes, "; "))
	}
	return err
}

// cancel tells this node's part that there will be no new leader. One that has ended is not there.
func (o *Handover) cancel(h *resource.Host) error {
	if _, err := os.Stat(h.Path(o.TaskPath())); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return h.WriteFile(o.path(cancelFile), nil, 0o600)
}

var (
	_ resource.Aide = (*Handover)(nil)
	_               = resource.RegisterAide(func() resource.Aide { return &Handover{} })
)

// HandoverFolder is where handovers that are under way are kept: it does not outlive the system.
const HandoverFolder = "/run/pigsty/handover"

// A handover's files, beside one another.
const (
	taskFile     = "task"     // what is to be done, with Patroni's password
	progressFile = "progress" // how far it has come
	cancelFile   = "cancel"   // made when it will not be
	followedFile = "followed" // made when the next handover goes on from here
)

func (o *Handover) path(file string) string {
	return filepath.Join(HandoverFolder, o.Cluster+"."+file)
}

// TaskPath is a file that is there while a handover is under way on the node, or clients of one are
// still served where they were.
func (o *Handover) TaskPath() string { return o.path(taskFile) }

func (o *Handover) unit() string { return "pigsty-handover-" + o.Cluster + ".service" }

// handoverTask is a handover that a unit carries out.
type handoverTask struct {
	Handover
	handoverOrder
	// Leads has the unit ask Patroni for the switchover: this is the old leader's node.
	Leads bool `json:"leads,omitempty"`
	// Before is what the handover before this one has left to this one.
	Before handoverProgress `json:"before"`
}

// handoverPhase is how far a handover has come on a node.
type handoverPhase string

const (
	holding handoverPhase = "holding" // begun
	held    handoverPhase = "held"    // clients wait
	moved   handoverPhase = "moved"   // clients are served by the new leader
	failed  handoverPhase = "failed"
)

// handoverProgress is what has to be known of a handover should its unit die.
type handoverProgress struct {
	Phase handoverPhase `json:"phase"`
	Error string        `json:"error,omitempty"`
	// Refused is the status with which Patroni refused the switchover.
	Refused int `json:"refused,omitempty"`
	// Pause is how long clients of the pool were held, and Promotion how much of it passed until
	// the new leader took writes.
	Pause     time.Duration `json:"pause,omitempty"`
	Promotion time.Duration `json:"promotion,omitempty"`
	// Carries tells that clients of this node's pool are served by another member since Moved;
	// Led is the file of databases that says so, and Home the one that does not.
	Carries bool      `json:"carries,omitempty"`
	Moved   time.Time `json:"moved,omitzero"`
	Led     string    `json:"led,omitempty"`
	Home    string    `json:"home,omitempty"`
	// Unchecked are servers of HAProxy whose checks are off, and Drained those of them that get
	// no new sessions, as backend/server.
	Unchecked []string `json:"unchecked,omitempty"`
	Drained   []string `json:"drained,omitempty"`
	Notes     []string `json:"notes,omitempty"`
}

// begin starts the unit for this node's part and returns when it has come as far as is wanted.
// A handover that is still under way here is taken over: who was served by the member that leads
// now is served by the next.
func (o *Handover) begin(ctx context.Context, h *resource.Host, order handoverOrder, want handoverPhase) (handoverProgress, error) {
	var none handoverProgress
	before, err := o.takeOver(ctx, h)
	if err != nil {
		return none, err
	}
	t := handoverTask{Handover: *o, handoverOrder: order, Leads: order.From == o.Self, Before: before}
	text, err := json.Marshal(t)
	if err != nil {
		return none, err
	}
	if err := os.MkdirAll(h.Path(HandoverFolder), 0o755); err != nil {
		return none, err
	}
	if err := h.WriteFile(o.path(taskFile), text, 0o600); err != nil {
		return none, err
	}
	program, err := os.Executable()
	if err != nil {
		return none, err
	}
	_, err = h.Exec.Run(ctx, resource.Command{Argv: []string{
		"systemd-run", "--quiet", "--collect", "--unit=" + o.unit(),
		"--description=Handover of the clients of cluster " + o.Cluster,
		"--property=RuntimeMaxSec=" + fmt.Sprint(int((drainLimit + 2*time.Minute).Seconds())),
		"--property=TimeoutStopSec=60",
		// Started again, it ends what it finds begun: what was to end it may have been killed, too.
		"--property=Restart=on-abnormal",
		"--property=ExecStopPost=" + program + " agent handover end " + o.path(taskFile),
		program, "agent", "handover", "keep", o.path(taskFile),
	}})
	if err != nil {
		return none, err
	}
	return o.await(ctx, h, want)
}

// await follows the unit's progress. What it says and why it failed becomes ours.
func (o *Handover) await(ctx context.Context, h *resource.Host, want handoverPhase) (handoverProgress, error) {
	deadline, look := time.Now().Add(promotionLimit+2*pauseLimit), time.Now().Add(drainPause)
	for {
		p, err := readProgress(h, o.path(progressFile))
		over := false
		if time.Now().After(look) {
			look = time.Now().Add(drainPause)
			if _, gone := os.Stat(h.Path(o.TaskPath())); gone != nil {
				over = true // and so is what is known of it
				p, err = readProgress(h, o.path(progressFile))
			}
		}
		switch {
		case err == nil && (p.Phase == want || p.Phase == moved):
			return p, nil
		case err == nil && p.Phase == failed:
			return p, errors.Join(p.failure(o.API.URL), o.ended(ctx, h))
		case over || time.Now().After(deadline):
			return p, fmt.Errorf("%s ended too early or does not go on; see journalctl -u %s on %s, and pigsty pg list %s", o.unit(), o.unit(), o.Self, o.Cluster)
		}
		select {
		case <-ctx.Done():
			return p, ctx.Err()
		case <-time.After(handoverPause):
		}
	}
}

// failure is why a handover failed, in the words of who refused it.
func (p handoverProgress) failure(url string) error {
	if p.Refused > 0 {
		return &PatroniError{Doing: "switch over", URL: url, Status: p.Refused, Text: p.Error}
	}
	return errors.New(p.Error)
}

// ended waits until the unit of a handover that failed has undone its part.
func (o *Handover) ended(ctx context.Context, h *resource.Host) error {
	if err := o.stop(ctx, h); err != nil {
		return err
	}
	if err := os.Remove(h.Path(o.path(progressFile))); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// stop ends the unit, if there is one, and waits for what it does at its end.
func (o *Handover) stop(ctx context.Context, h *resource.Host) error {
	state, err := h.Systemd.State(ctx, o.unit())
	if err != nil || state.Load == "not-found" || state.Active == "inactive" {
		return err
	}
	return h.Systemd.Stop(ctx, o.unit())
}

// handoverPause is how often the unit and who waits for it look again.
const handoverPause = 20 * time.Millisecond

// takeOver ends the handover that is under way on this node, if any, without undoing it, and says
// what is left of it.
func (o *Handover) takeOver(ctx context.Context, h *resource.Host) (handoverProgress, error) {
	p, err := readProgress(h, o.path(progressFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return handoverProgress{}, err
	default:
		if err := h.WriteFile(o.path(followedFile), nil, 0o600); err != nil {
			return handoverProgress{}, err
		}
		if err := o.stop(ctx, h); err != nil {
			return handoverProgress{}, err
		}
		// One that has just ended by itself has undone everything, and took its files along.
		if p, err = readProgress(h, o.path(progressFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return handoverProgress{}, err
		}
	}
	for _, file := range []string{followedFile, cancelFile, progressFile, taskFile} {
		if err := os.Remove(h.Path(o.path(file))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return handoverProgress{}, err
		}
	}
	return p, nil
}

func readProgress(h *resource.Host, path string) (handoverProgress, error) {
	var p handoverProgress
	text, err := os.ReadFile(h.Path(path))
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	return p, err
}
