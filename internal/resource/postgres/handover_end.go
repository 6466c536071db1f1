package postgres

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*NoHandover)(nil)
	_                   = resource.Register(func() resource.Resource { return &NoHandover{} })
)

// NoHandover ends a handover that somebody has killed on this node, and whom nobody was left to undo.
// One that is under way, or serves clients that stayed, is left alone.
type NoHandover struct {
	Cluster string `json:"cluster"`
}

func (n *NoHandover) Kind() string { return "no_handover" }
func (n *NoHandover) Name() string { return n.Cluster }

func (n *NoHandover) handover() *Handover { return &Handover{Cluster: n.Cluster} }

// Diff looks for a task that nobody is at.
func (n *NoHandover) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	if _, err := os.Stat(h.Path(n.handover().TaskPath())); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	state, err := h.Systemd.State(ctx, n.handover().unit())
	if err != nil || state.Running() || state.Active == "activating" || state.Active == "deactivating" {
		return nil, err
	}
	return &resource.Change{
		Action: resource.Run, Effect: "the pool and HAProxy serve as usual again",
		Fields: []resource.Field{{Name: "handover", Before: "broken off", After: "ended"}},
	}, nil
}

// Apply undoes what is left of it.
func (n *NoHandover) Apply(ctx context.Context, h *resource.Host) error {
	return EndHandover(ctx, h, n.handover().TaskPath())
}

// EndHandover undoes what is left of the task in the file, whatever became of its unit: the pool
// serves everybody from its own server, and HAProxy checks every server. Where the next handover has
// taken over it does nothing.
func EndHandover(ctx context.Context, h *resource.Host, path string) error {
	k, err := openKeeper(h, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(h.Path(k.path(followedFile))); err == nil {
		return nil
	}
	if k.progress, err = readProgress(h, k.path(progressFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := k.undo(ctx); err != nil {
		return err // the next apply tries again
	}
	// The progress of one that failed is for whoever waits for it.
	files := []string{taskFile, cancelFile}
	if k.progress.Phase != failed {
		files = append(files, progressFile)
	}
	for _, file := range files {
		if err := os.Remove(h.Path(k.path(file))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// undo brings back what has to be: each thing, whatever becomes of the others.
func (k *keeper) undo(ctx context.Context) error {
	var err error
	if k.Console != nil && k.progress.Carries {
		if err = k.goHome(ctx); err == nil {
			k.progress.Carries, k.progress.Led = false, ""
			err = k.save()
		}
	}
	for _, server := range slices.Clone(k.progress.Unchecked) {
		commands := []string{"enable health " + server}
		if slices.Contains(k.progress.Drained, server) {
			commands = k.shut(server)
		}
		err = errors.Join(err, k.recheck(ctx, server, commands...))
	}
	return err
}
