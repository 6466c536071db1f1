package node

import (
	"fmt"
	"slices"

	"pigsty/internal/model"
	"pigsty/internal/resource"
	"pigsty/internal/secret"
)

const (
	adminGroup = "admin"
	// keyName is no name that ssh uses by itself, so that a key somebody made for the account
	// earlier is not overwritten.
	keyName = "id_pigsty"
	// firstPerson is the lowest number that Debian gives to people's accounts.
	firstPerson = 1000
)

// A sudoers file with a mistake in it leaves nobody on the machine with sudo.
var sudoersCheck = resource.FileCheck{Argv: []string{"visudo", "-c", "-f", resource.Candidate}}

// sshCheck reads the file as a client does: a mistake in it would keep every user from ssh.
var sshCheck = resource.FileCheck{Argv: []string{"ssh", "-G", "-F", resource.Candidate, "localhost"}}

// admin makes the administrator: sudo without a password, and SSH to the nodes of the same
// node_cluster.
func (b *builder) admin() {
	p := b.n.Param
	if !p.NodeAdminEnabled {
		return
	}
	b.on("admin")
	name, home := p.NodeAdminUsername, adminHome(b.n)
	service := p.NodeAdminUid < firstPerson
	b.add(&resource.Group{Group: adminGroup, GID: p.NodeAdminUid, System: service})
	b.add(&resource.User{
		User: name, UID: p.NodeAdminUid, Group: adminGroup, Home: home, Shell: "/bin/bash",
		System: service, CreateHome: true,
	})
	sudoers := "/etc/sudoers.d/" + name
	b.add(&resource.File{Path: sudoers, Content: templates.Fill("/etc/sudoers.d/admin", adminGroup), Mode: 0o440, Check: &sudoersCheck})
	b.adminKeys(name, home)
	b.on("")
}

func adminHome(n *model.Node) string { return "/home/" + n.Param.NodeAdminUsername }

// adminKeys gives the administrator a key and says whose keys may log in.
func (b *builder) adminKeys(name, home string) {
	private, public := adminKey(b.d, b.n)
	ssh := home + "/.ssh"
	b.add(&resource.Directory{Path: ssh, Owner: name, Group: adminGroup, Mode: 0o700})
	key := ssh + "/" + keyName
	b.add(&resource.File{Path: key, Content: private, Owner: name, Group: adminGroup, Mode: 0o600, Secret: true})
	b.add(&resource.File{Path: key + ".pub", Content: public + "\n", Owner: name, Group: adminGroup})
	keys := b.mayLogIn(public)
	b.add(&resource.Block{
		Path: ssh + "/authorized_keys", Marker: "admin", Lines: keys, Absent: len(keys) == 0,
		Owner: name, Group: adminGroup, Mode: 0o600,
	})
	b.add(&resource.File{
		Path:    "/etc/ssh/ssh_config.d/pigsty-admin.conf",
		Content: templates.Fill("/etc/ssh/admin.conf", map[string]string{"User": name, "Key": keyName}),
		Check:   &sshCheck,
	})
}

// mayLogIn are the public keys that may log in as the administrator, each once.
func (b *builder) mayLogIn(own string) []string {
	var keys []string
	if b.n.Param.NodeAdminSshExchange {
		keys = append(keys, own)
		for _, peer := range b.d.Nodes {
			if peer != b.n && exchanges(b.n, peer) {
				_, public := adminKey(b.d, peer)
				keys = append(keys, public)
			}
		}
	}
	listed := b.n.Param.NodeAdminPkList
	if b.n.Param.NodeAdminPkCurrent {
		listed = append(slices.Clone(b.d.AdminKeys), listed...)
	}
	for _, key := range listed {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// exchanges tells whether the administrator of peer may come to n.
func exchanges(n, peer *model.Node) bool {
	return peer.Cluster == n.Cluster && peer.Param.NodeAdminEnabled && peer.Param.NodeAdminSshExchange
}

// adminKey is the key pair of the administrator on a node. It follows from the deployment's
// seed, so that every node knows the others' without asking them.
func adminKey(d *model.Deployment, n *model.Node) (private, public string) {
	name := n.Param.NodeAdminUsername
	private, public, err := secret.SSHKey(d.Derive("ssh", n.Addr, name), name+"@"+n.Addr)
	if err != nil {
		// Neither the seed's length nor the comment comes from the inventory.
		panic(fmt.Sprintf("derive the SSH key of %s on %s: %v", name, n.Addr, err))
	}
	return private, public
}
