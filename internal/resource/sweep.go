package resource

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

var (
	_ Resource = (*Sweep)(nil)
	_          = Register(func() Resource { return &Sweep{} })
)

// Sweep is a folder in which of the files that runs wrote only those are left that somebody wants:
// what went out of the inventory without being removed leaves files behind. Others' files stay.
type Sweep struct {
	Path string `json:"path"` // of the folder, which may be missing
	// Mark is the first line of every file that runs write there.
	Mark string `json:"mark"`
	// Keep are names of files that are wanted.
	Keep []string `json:"keep"`
	// KeepAbout begin the names of files that are wanted or not, which this run cannot tell.
	KeepAbout []string `json:"keep_about,omitempty"`
}

func (s *Sweep) Kind() string { return "sweep" }
func (s *Sweep) Name() string { return s.Path }

// unwanted are the paths of files that nobody wants any more.
func (s *Sweep) unwanted(h *Host) ([]string, error) {
	entries, err := os.ReadDir(h.Path(s.Path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNotDirectory) {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		about := func(start string) bool { return strings.HasPrefix(e.Name(), start) }
		if !e.Type().IsRegular() || slices.Contains(s.Keep, e.Name()) || slices.ContainsFunc(s.KeepAbout, about) {
			continue
		}
		path := filepath.Join(s.Path, e.Name())
		text, err := os.ReadFile(h.Path(path))
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(string(text), s.Mark+"\n") {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// Diff lists what goes.
func (s *Sweep) Diff(_ context.Context, h *Host) (*Change, error) {
	paths, err := s.unwanted(h)
	if err != nil || len(paths) == 0 {
		return nil, err
	}
	c := &Change{Action: Delete}
	for _, path := range paths {
		c.Add("removed", "", path)
	}
	return c, nil
}

// Apply removes it.
func (s *Sweep) Apply(_ context.Context, h *Host) error {
	paths, err := s.unwanted(h)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := os.Remove(h.Path(path)); err != nil {
			return err
		}
	}
	return nil
}
