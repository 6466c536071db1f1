package resource

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

var (
	_ Resource = (*Group)(nil)
	_          = Register(func() Resource { return &Group{} })
)

// Group is a group of OS users.
type Group struct {
	Group string `json:"group"`
	GID   int    `json:"gid,omitempty"` // 0 = the system chooses
	// System takes a chosen number from the range for services.
	System bool `json:"system,omitempty"`
}

func (g *Group) Kind() string { return "group" }
func (g *Group) Name() string { return g.Group }

// Diff looks the group up. Another number than the wanted one is an error: files on disk carry
// numbers, and changing the group's would hand them to nobody.
func (g *Group) Diff(_ context.Context, h *Host) (*Change, error) {
	found, err := h.lookup(groupFile, g.Group)
	if errors.Is(err, ErrAbsent) {
		return g.creation(h)
	}
	if err != nil || g.GID == 0 || found.field(2) == strconv.Itoa(g.GID) {
		return nil, err
	}
	return nil, fmt.Errorf("group %s has number %s here and %d is wanted: set the wanted number to %s, or move the group yourself (groupmod -g, then chgrp its files)",
		g.Group, found.field(2), g.GID, found.field(2))
}

func (g *Group) creation(h *Host) (*Change, error) {
	c := &Change{Action: Create}
	if g.GID == 0 {
		return c, nil
	}
	number := strconv.Itoa(g.GID)
	c.Add("gid", "", number)
	other, err := h.find(groupFile, number, 2)
	if errors.Is(err, ErrAbsent) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("group %s is to have number %d, which is taken by group %s: choose another number", g.Group, g.GID, other.name)
}

// Apply makes the group.
func (g *Group) Apply(ctx context.Context, h *Host) error {
	argv := []string{"groupadd"}
	if g.System {
		argv = append(argv, "--system")
	}
	if g.GID != 0 {
		argv = append(argv, "--gid", strconv.Itoa(g.GID))
	}
	return h.run(ctx, append(argv, g.Group)...)
}
