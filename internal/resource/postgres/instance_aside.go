package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*InstanceAside)(nil)
	_                   = resource.Register(func() resource.Resource { return &InstanceAside{} })
)

// InstanceAside sets aside what an instance that has stopped leaves on its node, and notes how
// its server was: of a cluster that is brought back, the last primary has to start first.
type InstanceAside struct {
	Instance string   `json:"instance"`
	Cluster  string   `json:"cluster"`
	As       string   `json:"as"`       // what is named to bring it back
	DataDir  string   `json:"data_dir"` // PostgreSQL's
	Paths    []string `json:"paths"`    // folders to set aside
	Days     int      `json:"days,omitempty"`
	Now      bool     `json:"now,omitempty"` // delete the data instead
}

func (i *InstanceAside) Kind() string { return "instance_aside" }
func (i *InstanceAside) Name() string { return i.Instance }

func (i *InstanceAside) folders() *resource.SetAside {
	return &resource.SetAside{
		What: resource.AsideInstance, Item: i.Instance, As: i.As, Cluster: i.Cluster, Paths: i.Paths, Days: i.Days,
	}
}

// Diff is a change while one of the folders is there.
func (i *InstanceAside) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	c, err := i.folders().Diff(ctx, h)
	if c != nil && i.Now {
		c.Impact, c.Effect = resource.DataLoss, "its data are deleted"
		c.Fields = c.Fields[len(c.Fields)-2 : len(c.Fields)-1] // the size
	}
	return c, err
}

// Apply moves the folders. A server that still runs on them is refused: Patroni leaves one alone
// when it stops during maintenance.
func (i *InstanceAside) Apply(ctx context.Context, h *resource.Host) error {
	if pid := i.postmaster(h); pid != 0 {
		return fmt.Errorf("PostgreSQL still runs on %s as process %d: stop it, then remove %s again", i.DataDir, pid, i.Instance)
	}
	aside := i.folders()
	if server, err := readControlFile(h.Path(i.DataDir)); err == nil {
		aside.Server = server
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := aside.Apply(ctx, h); err != nil || !i.Now {
		return err
	}
	h.TakeNotes() // of where it is kept
	return (&resource.DestroyAside{What: resource.AsideInstance, Item: i.Instance}).Apply(ctx, h)
}

// postmaster is the process that runs on the data directory; 0 when none does.
func (i *InstanceAside) postmaster(h *resource.Host) int {
	text, err := os.ReadFile(filepath.Join(h.Path(i.DataDir), "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return 0
	}
	name, err := os.ReadFile(h.Path(filepath.Join("/proc", strconv.Itoa(pid), "comm")))
	if err != nil || !strings.HasPrefix(string(name), "postgres") {
		return 0 // left by a server that was killed; the number may be another process's by now
	}
	return pid
}

// Offsets in global/pg_control, the same in PostgreSQL 9.3 to 18: ControlFileData begins with the
// system identifier, two versions, the state and the time of the last change; then come the
// position of the last checkpoint and a copy of its record, whose second field is the timeline.
const (
	controlState      = 16
	controlCheckpoint = 32
	controlTimeline   = 48
	controlSize       = 52
)

// States of a server, as its control file has them: a primary that was shut down, or that was
// running when its machine failed. A replica is in recovery in either case.
const (
	stateShutDown     = 1
	stateInProduction = 6
)

// readControlFile says how the server of a data directory was when it stopped.
func readControlFile(dataDir string) (*resource.Server, error) {
	data, err := os.ReadFile(filepath.Join(dataDir, "global", "pg_control"))
	if err != nil {
		return nil, err
	}
	if len(data) < controlSize {
		return nil, fmt.Errorf("%s/global/pg_control is cut short", dataDir)
	}
	number := binary.NativeEndian
	state := number.Uint32(data[controlState:])
	return &resource.Server{
		System:     strconv.FormatUint(number.Uint64(data), 10),
		Timeline:   int(number.Uint32(data[controlTimeline:])),
		Checkpoint: number.Uint64(data[controlCheckpoint:]),
		Primary:    state == stateShutDown || state == stateInProduction,
	}, nil
}
