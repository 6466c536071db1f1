package postgres

import (
	"context"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*AsideDestroyed)(nil)
	_                   = resource.Register(func() resource.Resource { return &AsideDestroyed{} })
)

// AsideDestroyed drops the databases, or users, of one name that are set aside in the node's
// server, however often it was, without waiting for the end of their time.
type AsideDestroyed struct {
	Conn Conn   `json:"conn"`
	What string `json:"what"` // resource.AsideDatabase or resource.AsideUser
	Item string `json:"item"`
}

func (d *AsideDestroyed) Kind() string { return "pg_destroy_aside" }
func (d *AsideDestroyed) Name() string { return d.What + " " + d.Item }

func (d *AsideDestroyed) kept(ctx context.Context, h *resource.Host) ([]resource.Aside, error) {
	all, err := d.Conn.Asides(ctx, h)
	var mine []resource.Aside
	for _, a := range all {
		if a.What == d.What && a.Item == d.Item {
			mine = append(mine, a)
		}
	}
	return mine, err
}

// Diff lists them.
func (d *AsideDestroyed) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	mine, err := d.kept(ctx, h)
	if err != nil || len(mine) == 0 {
		return nil, err
	}
	c := &resource.Change{Action: resource.Delete, Impact: resource.DataLoss, Effect: "it cannot be brought back any more"}
	for _, a := range mine {
		c.Add("dropped", "", a.As)
		c.Add("removed", "", a.Removed.Format(time.DateTime))
		if a.Bytes > 0 {
			c.Add("size", "", resource.SizeText(a.Bytes))
		}
	}
	return c, nil
}

// Apply drops them.
func (d *AsideDestroyed) Apply(ctx context.Context, h *resource.Host) error {
	mine, err := d.kept(ctx, h)
	if err != nil {
		return err
	}
	for _, a := range mine {
		if err := d.Conn.destroy(ctx, h, a); err != nil {
			return err
		}
	}
	return nil
}
