package resource

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

var (
	_ Resource = (*NoOwnFiles)(nil)
	_          = Register(func() Resource { return &NoOwnFiles{} })
)

// ownDir is where runs keep what they need on the node.
const ownDir = "/var/lib/pigsty"

// NoOwnFiles is a node on which runs have left nothing of their own: neither notes nor agents, nor
// the timer that deletes what was set aside. While something is set aside, that and the timer
// stay. List it last. The agent that looks puts itself there, and by itself is no difference.
type NoOwnFiles struct {
	// Timer and its files delete what was set aside, once it has expired.
	Timer string   `json:"timer"`
	Files []string `json:"files"`
}

func (o *NoOwnFiles) Kind() string { return "no_own_files" }
func (o *NoOwnFiles) Name() string { return ownDir }

// unwanted lists what there is besides agents.
func (o *NoOwnFiles) unwanted(h *Host) (paths []string, keeps bool, err error) {
	asides, err := Asides(h)
	if err != nil {
		return nil, false, err
	}
	keeps = len(asides) > 0
	entries, err := os.ReadDir(h.Path(ownDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, keeps, err
	}
	for _, e := range entries {
		path := filepath.Join(ownDir, e.Name())
		if path != filepath.Join(ownDir, "agent") && (path != asideDir || !keeps) {
			paths = append(paths, path)
		}
	}
	for _, path := range o.Files {
		if !keeps && there(h, path) {
			paths = append(paths, path)
		}
	}
	return paths, keeps, nil
}

// Diff lists what goes.
func (o *NoOwnFiles) Diff(_ context.Context, h *Host) (*Change, error) {
	paths, keeps, err := o.unwanted(h)
	if err != nil || len(paths) == 0 {
		return nil, err
	}
	c := &Change{Action: Delete}
	for _, path := range paths {
		c.Add("removed", "", path)
	}
	if keeps {
		h.Note("what is set aside stays on the node, with what deletes it in time: see pigsty undo")
	}
	return c, nil
}

// Apply removes it, the timer first.
func (o *NoOwnFiles) Apply(ctx context.Context, h *Host) error {
	paths, keeps, err := o.unwanted(h)
	if err != nil {
		return err
	}
	if !keeps {
		timer := &Unit{Unit: o.Timer, Stopped: true, Disabled: true}
		if c, err := timer.Diff(ctx, h); err != nil {
			return err
		} else if c != nil {
			if err := timer.Apply(ctx, h); err != nil {
				return err
			}
		}
	}
	for _, path := range append(paths, filepath.Join(ownDir, "agent")) {
		h.wroteUnit(path)
		if err := os.RemoveAll(h.Path(path)); err != nil {
			return err
		}
	}
	if len(h.unitFiles) == 0 {
		return nil
	}
	return (&UnitFilesRead{}).Apply(ctx, h)
}
