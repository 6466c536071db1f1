package etcd

import (
	"context"
	"strings"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Access)(nil)
	_                   = resource.Register(func() resource.Resource { return &Access{} })
)

// Access is who may do what in an etcd cluster: user root, and users that each own one
// prefix of the keys. Authentication is switched on last. Users that nobody lists are left
// alone.
type Access struct {
	Store string `json:"store"` // the cluster's name
	API   API    `json:"api"`   // with the password that root has, or is to have
	Users []User `json:"users,omitempty"`
}

// User may read and write the keys under a prefix, by a role of the same name.
type User struct {
	Name     string `json:"name"`
	Password string `json:"password" secret:"true"`
	Prefix   string `json:"prefix"` // such as "/pg/pg-test/"
}

// AccessRef is the step after which clients can log in to the store; it stands on the node
// that model.EtcdCluster.Keeper names.
func AccessRef(node, store string) resource.Ref {
	return resource.Ref{Node: node, ID: resource.ID(&Access{Store: store})}
}

func (a *Access) Kind() string { return "etcd_access" }
func (a *Access) Name() string { return a.Store }

// Diff compares users, passwords and roles. Nothing is asked when etcd's revision of them is
// the one that the last apply left behind; see receipt.
func (a *Access) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	client, err := a.API.open(h)
	if err != nil {
		return a.all(), nil // the certificate comes with an earlier step
	}
	defer client.close()
	revision, err := client.authRevision(ctx)
	if err != nil {
		return a.all(), nil // and so does the server
	}
	if readReceipt(h).fits(a, revision) {
		return nil, nil
	}
	deeds, err := a.deeds(ctx, client)
	if err != nil || len(deeds) == 0 {
		return nil, err
	}
	c := &resource.Change{Action: resource.Update}
	for _, d := range deeds {
		c.Fields = append(c.Fields, d.field)
	}
	if strings.HasPrefix(c.Fields[len(c.Fields)-1].Name, "authentication") {
		c.Action, c.Effect = resource.Create, "clients have to log in from now on"
	}
	return c, nil
}

// all is the change for a cluster that is still to come up.
func (a *Access) all() *resource.Change {
	c := &resource.Change{Action: resource.Create}
	c.Add("user root", "", "everything")
	for _, u := range a.Users {
		c.Add("user "+u.Name, "", "reads and writes "+u.Prefix)
	}
	c.Add("authentication", "off", "on")
	return c
}

// Apply does what Diff found, and notes the revision it leaves behind.
func (a *Access) Apply(ctx context.Context, h *resource.Host) error {
	client, err := a.API.open(h)
	if err != nil {
		return err
	}
	defer client.close()
	deeds, err := a.deeds(ctx, client)
	if err != nil {
		return err
	}
	for _, d := range deeds {
		err := client.call(ctx, d.path, d.question, &struct{}{})
		// An interrupted run may have got further than the answer tells.
		if err != nil && !says(err, "already exists") {
			return err
		}
	}
	return a.writeReceipt(ctx, h, client)
}
