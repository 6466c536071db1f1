package etcd

import (
	"bytes"
	"context"
	"slices"

	"pigsty/internal/resource"
)

// deed is one request that changes who may do what, and how it reads in a plan.
type deed struct {
	field    resource.Field
	path     string
	question any
}

// deeds are the requests that are missing, in an order in which an interruption locks nobody
// out: authentication comes last.
func (a *Access) deeds(ctx context.Context, client *apiClient) ([]deed, error) {
	var known struct{ Users []string }
	if err := client.call(ctx, "/v3/auth/user/list", struct{}{}, &known); err != nil {
		return nil, err
	}
	// call logs in only when etcd asks for a user.
	locked := client.token != ""
	var deeds []deed
	root := User{Name: "root", Password: a.API.Password}
	for _, u := range append([]User{root}, a.Users...) {
		more, err := u.deeds(ctx, client, slices.Contains(known.Users, u.Name), locked)
		if err != nil {
			return nil, err
		}
		deeds = append(deeds, more...)
	}
	if !locked {
		deeds = append(deeds, deed{resource.Field{Name: "authentication", Before: "off", After: "on"}, "/v3/auth/enable", struct{}{}})
	}
	return deeds, nil
}

func (u User) deeds(ctx context.Context, client *apiClient, exists, locked bool) ([]deed, error) {
	deeds, err := u.roleDeeds(ctx, client)
	if err != nil {
		return nil, err
	}
	account := map[string]string{"name": u.Name, "password": u.Password}
	if !exists {
		return append(deeds, deed{resource.Field{Name: "user " + u.Name, After: "created"}, "/v3/auth/user/add", account}, u.grant()), nil
	}
	same, err := u.samePassword(ctx, client, locked)
	if err != nil {
		return nil, err
	}
	if !same {
		deeds = append(deeds, deed{resource.Field{Name: "password of " + u.Name, Before: "another one", After: "as wanted"}, "/v3/auth/user/changepw", account})
	}
	var has struct{ Roles []string }
	if err := client.call(ctx, "/v3/auth/user/get", map[string]string{"name": u.Name}, &has); err != nil {
		return nil, err
	}
	if !slices.Contains(has.Roles, u.Name) {
		deeds = append(deeds, u.grant())
	}
	return deeds, nil
}

// samePassword tries the password. Before authentication is on that cannot be done, and the
// password is set to be sure. That of root has just served to log in, or the one before it has.
func (u User) samePassword(ctx context.Context, client *apiClient, locked bool) (bool, error) {
	if !locked || u.Name == "root" {
		return locked && !client.outdated, nil
	}
	_, err := client.login(ctx, u.Name, u.Password)
	if says(err, "authentication failed") {
		return false, nil
	}
	return err == nil, err
}

func (u User) grant() deed {
	return deed{resource.Field{Name: "role of " + u.Name, After: u.Name}, "/v3/auth/user/grant", map[string]string{"user": u.Name, "role": u.Name}}
}

// grant is a permission on a range of keys.
type grant struct {
	PermType string `json:"permType"`
	Key      []byte `json:"key"`
	RangeEnd []byte `json:"range_end"`
}

// roleDeeds makes the role that bears the user's name. Role root has no permissions of its own:
// its name lets it do everything.
func (u User) roleDeeds(ctx context.Context, client *apiClient) ([]deed, error) {
	var deeds []deed
	var has struct{ Perm []grant }
	err := client.call(ctx, "/v3/auth/role/get", map[string]string{"role": u.Name}, &has)
	switch {
	case says(err, "role name not found"):
		deeds = append(deeds, deed{resource.Field{Name: "role " + u.Name, After: "created"}, "/v3/auth/role/add", map[string]string{"name": u.Name}})
	case err != nil:
		return nil, err
	}
	if u.Prefix == "" {
		return deeds, nil
	}
	want := grant{"READWRITE", []byte(u.Prefix), prefixEnd(u.Prefix)}
	if !slices.ContainsFunc(has.Perm, func(g grant) bool {
		return g.PermType == want.PermType && bytes.Equal(g.Key, want.Key) && bytes.Equal(g.RangeEnd, want.RangeEnd)
	}) {
		deeds = append(deeds, deed{resource.Field{Name: "keys of role " + u.Name, After: u.Prefix}, "/v3/auth/role/grant", map[string]any{"name": u.Name, "perm": want}})
	}
	return deeds, nil
}

// prefixEnd is the first key after all those with the prefix, which ends in a slash.
func prefixEnd(prefix string) []byte {
	end := []byte(prefix)
	end[len(end)-1]++
	return end
}
