package pgsql

import (
	"io/fs"

	"pigsty/internal/model"
	"pigsty/internal/param"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// Where things are on a node. Certificates lie outside of the data disk, so that services that
// need no data start without it.
const (
	certDir  = "/etc/pigsty/pgsql"
	certFile = certDir + "/server.crt"
	keyFile  = certDir + "/server.key"

	patroniConfig = "/etc/patroni/patroni.yml"
	patroniEnv    = "/etc/patroni/patroni.env"
	patroniUnit   = "patroni.service"
	pgbouncerDir  = "/etc/pgbouncer"
	pgbouncerUnit = "pgbouncer.service"
	haproxyUnit   = "haproxy.service"
)

// member is an instance whose steps are being listed.
type member struct {
	d     *model.Deployment
	c     *model.PgCluster
	i     *model.PgInstance
	p     param.Pgsql
	steps []resource.Step

	branch string // of the steps that are added
	// verifiers are those made so far for the cluster, by user and password: making one is
	// slow on purpose, and every member needs it.
	verifiers map[[2]string]string
}

// add lists a resource as the member's next step.
func (m *member) add(r resource.Resource, notify ...resource.Notification) *resource.Step {
	m.steps = append(m.steps, resource.Step{
		Node: m.i.Node.Addr, Module: "pgsql", Branch: m.branch, Notify: notify, Resource: r,
	})
	return &m.steps[len(m.steps)-1]
}

// off lists a unit that neither runs nor starts at boot. One that the node does not have is that
// already, so on a new node nothing happens. The effect is what stopping it means for users.
func (m *member) off(unit, effect string) *resource.Step {
	return m.add(&resource.Unit{Unit: unit, Stopped: true, Disabled: true, RestartImpact: resource.Restart, StopEffect: effect})
}

// file lists a file that belongs to root and is filled from the template of its path.
func (m *member) file(path string, view any, notify ...resource.Notification) {
	m.add(&resource.File{Path: path, Content: templates.Fill(path, view)}, notify...)
}

// secret lists a file of secrets, which its owner alone reads.
func (m *member) secret(path, owner, content string, notify ...resource.Notification) *resource.Step {
	return m.add(&resource.File{Path: path, Content: content, Owner: owner, Mode: 0o600, Secret: true}, notify...)
}

// own lists a file of the database's user.
func (m *member) own(path, content string, mode fs.FileMode, notify ...resource.Notification) *resource.Step {
	return m.add(&resource.File{Path: path, Content: content, Owner: m.p.PgDbsu, Mode: mode}, notify...)
}

// directory lists a folder of the database's user.
func (m *member) directory(path string, mode fs.FileMode) {
	m.add(&resource.Directory{Path: path, Owner: m.p.PgDbsu, Mode: mode})
}

// conn is how the node's own server is asked.
func (m *member) conn() postgres.Conn {
	return postgres.Conn{Socket: m.p.PgLocalhost, Port: m.p.PgPort, User: m.p.PgDbsu}
}

// pool is how the node's own pgBouncer is asked; none where it is switched off.
func (m *member) pool() postgres.Pool {
	if !m.p.PgbouncerEnabled {
		return postgres.Pool{}
	}
	return postgres.Pool{Socket: m.p.PgLocalhost, Port: m.p.PgbouncerPort, User: m.p.PgDbsu}
}
