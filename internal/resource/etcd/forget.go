package etcd

import (
	"context"
	"fmt"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Forget)(nil)
	_                   = resource.Register(func() resource.Resource { return &Forget{} })
)

// Forget removes what a store has of a client that is gone for good: keys, and the user and role
// that it logged in by.
type Forget struct {
	API API `json:"api"`
	// Key is one key, or all below it when it ends in a slash.
	Key  string `json:"key"`
	User string `json:"user,omitempty"` // and the role of the same name; empty = none
}

func (f *Forget) Kind() string { return "etcd_forget" }
func (f *Forget) Name() string { return f.Key }

// keys is the range of the keys as etcd takes it.
func (f *Forget) keys() map[string]any {
	which := map[string]any{"key": []byte(f.Key)}
	if f.Key[len(f.Key)-1] == '/' {
		which["range_end"] = prefixEnd(f.Key)
	}
	return which
}

// removals are the requests that something is there for.
func (f *Forget) removals(ctx context.Context, client *apiClient) ([]deed, error) {
	var deeds []deed
	question := f.keys()
	question["count_only"] = true
	var found struct{ Count string }
	if err := client.call(ctx, "/v3/kv/range", question, &found); err != nil {
		return nil, err
	}
	if found.Count != "" && found.Count != "0" {
		deeds = append(deeds, deed{resource.Field{Name: "keys", Before: found.Count}, "/v3/kv/deleterange", f.keys()})
	}
	if f.User == "" {
		return deeds, nil
	}
	for _, account := range []struct{ what, look, absent, remove string }{
		{"user", "/v3/auth/user/get", "user name not found", "/v3/auth/user/delete"},
		{"role", "/v3/auth/role/get", "role name not found", "/v3/auth/role/delete"},
	} {
		field := map[string]string{"user": "name", "role": "role"}[account.what]
		named := map[string]string{field: f.User}
		switch err := client.call(ctx, account.look, named, &struct{}{}); {
		case says(err, account.absent):
		case err != nil:
			return nil, err
		default:
			deeds = append(deeds, deed{resource.Field{Name: account.what, Before: f.User}, account.remove, named})
		}
	}
	return deeds, nil
}

// Diff counts the keys and looks for the user and the role.
func (f *Forget) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	client, err := f.API.open(h)
	if err != nil {
		return nil, nil // without a certificate this node has never been a client, or is none any more
	}
	defer client.close()
	deeds, err := f.removals(ctx, client)
	if err != nil || len(deeds) == 0 {
		return nil, err
	}
	c := &resource.Change{Action: resource.Delete}
	for _, d := range deeds {
		c.Fields = append(c.Fields, d.field)
	}
	return c, nil
}

// Apply removes them, the keys first: while the user is there, another run can tell that there is
// something left.
func (f *Forget) Apply(ctx context.Context, h *resource.Host) error {
	client, err := f.API.open(h)
	if err != nil {
		return err
	}
	defer client.close()
	deeds, err := f.removals(ctx, client)
	if err != nil {
		return err
	}
	for _, d := range deeds {
		if err := client.call(ctx, d.path, d.question, &struct{}{}); err != nil {
			return fmt.Errorf("remove %s %s from etcd: %w", d.field.Name, d.field.Before, err)
		}
	}
	return nil
}
