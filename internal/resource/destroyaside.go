package resource

import (
	"context"
	"time"
)

var (
	_ Resource = (*DestroyAside)(nil)
	_          = Register(func() Resource { return &DestroyAside{} })
)

// DestroyAside deletes what is kept of a thing that was set aside, however often it was, without
// waiting for the end of its time.
type DestroyAside struct {
	What string `json:"what"` // see Aside
	Item string `json:"item"`
}

func (d *DestroyAside) Kind() string { return "destroy_aside" }
func (d *DestroyAside) Name() string { return d.What + " " + d.Item }

func (d *DestroyAside) kept(h *Host) ([]Aside, error) {
	all, err := Asides(h)
	var mine []Aside
	for _, a := range all {
		if a.What == d.What && a.Item == d.Item {
			mine = append(mine, a)
		}
	}
	return mine, err
}

// Diff lists the folders.
func (d *DestroyAside) Diff(_ context.Context, h *Host) (*Change, error) {
	mine, err := d.kept(h)
	if err != nil || len(mine) == 0 {
		return nil, err
	}
	c := &Change{Action: Delete, Impact: DataLoss, Effect: "it cannot be brought back any more"}
	for _, a := range mine {
		for _, m := range a.Moves {
			c.Add("deleted", "", m.To)
		}
		c.Add("removed", "", a.Removed.Format(time.DateTime))
		c.Add("size", "", SizeText(a.Bytes))
	}
	return c, nil
}

// Apply deletes them.
func (d *DestroyAside) Apply(_ context.Context, h *Host) error {
	mine, err := d.kept(h)
	if err != nil {
		return err
	}
	for _, a := range mine {
		if err := a.destroy(h); err != nil {
			return err
		}
	}
	return nil
}
