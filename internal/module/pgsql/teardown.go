package pgsql

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
	"pigsty/internal/resource/etcd"
	"pigsty/internal/resource/postgres"
)

// removal is how instances are taken off their nodes.
type removal struct {
	as   string // what is named to bring them back
	days int    // how long data are kept; 0 = until somebody deletes them
	now  bool   // delete the data instead
}

// removing is the member as a verb takes it off its node, and what an apply would have there.
func removing(d *model.Deployment, c *model.PgCluster, i *model.PgInstance) (m *member, wanted []resource.Step) {
	whole := &member{d: d, c: c, i: i, p: i.Param, verifiers: map[[2]string]string{}}
	for _, list := range listing {
		list(whole)
		whole.branch = ""
	}
	return &member{d: d, c: c, i: i, p: i.Param}, whole.steps
}

// stop lists the end of the services: what clients reach the instance by goes first, then Patroni,
// which stops PostgreSQL in good order and tells the cluster.
func (m *member) stop(after ...resource.Ref) {
	for _, unit := range []string{model.VIPManagerUnit, model.KeepalivedUnit, haproxyUnit, pgbouncerUnit, model.PgExporterUnit} {
		m.off(unit, "").After = after
	}
	m.off(patroniUnit, "PostgreSQL stops").After = after
}

// patroniStopped is the step after which a member is down.
func patroniStopped(i *model.PgInstance) resource.Ref {
	return resource.Ref{Node: i.Node.Addr, ID: resource.ID(&resource.Unit{Unit: patroniUnit})}
}

// forget lists what the store has of the member or of its cluster, whose certificate and address
// of the store the member has.
func (m *member) forget(key, user string) {
	if m.c.Etcd == nil {
		return
	}
	api := etcd.API{CA: pki.CAPath, Cert: certFile, Key: keyFile, Password: m.c.Etcd.Param.EtcdRootPassword}
	for _, endpoint := range m.c.Etcd.Endpoints() {
		api.Endpoints = append(api.Endpoints, "https://"+endpoint)
	}
	m.add(&etcd.Forget{API: api, Key: key, User: user})
}

// clear lists the rest: data are set aside, then every file that an apply has written goes.
func (m *member) clear(r removal, wanted []resource.Step) {
	if !r.now {
		m.expiry()
	}
	m.add(&postgres.InstanceAside{
		Instance: m.i.Name, Cluster: m.c.Name, As: r.as, DataDir: m.p.PgData, Paths: m.dataFolders(), Days: r.days, Now: r.now,
	})
	for _, s := range wanted {
		m.undo(s.Resource)
	}
	m.add(&resource.UnitFilesRead{})
}

// dataFolders are those that hold what only this instance has.
func (m *member) dataFolders() []string {
	ident := fmt.Sprintf("%s-%d", m.c.Name, m.i.Version())
	folders := []string{path.Join(m.p.PgFsMain, "postgres", ident)}
	if backup := path.Join(m.p.PgFsBkup, "postgres", ident); backup != folders[0] {
		folders = append(folders, backup)
	}
	if !strings.HasPrefix(m.p.PgData, "/pg/") {
		folders = append(folders, m.p.PgData)
	}
	return folders
}

// kept are files of the packages' sake, which stay with them.
const kept = "/etc/postgresql-common/"

// undo lists the absence of what a step makes, where that is outside of the data. Accounts, packages
// and folders stay.
func (m *member) undo(r resource.Resource) {
	inData := func(path string) bool {
		return strings.HasPrefix(path, "/pg/") || strings.HasPrefix(path, m.p.PgFsMain+"/postgres/")
	}
	gone := func(path string) {
		if !inData(path) && !strings.HasPrefix(path, kept) {
			m.add(&resource.File{Path: path, Absent: true})
		}
	}
	switch r := r.(type) {
	case *resource.File:
		gone(r.Path)
	case *postgres.PatroniFile:
		gone(r.Path)
	case *resource.Certificate:
		gone(r.Path)
		gone(r.KeyPath)
	case *postgres.VIPFile:
		m.add(&postgres.VIPFile{Path: r.Path, Unit: r.Unit, Absent: true})
	case *resource.Block:
		m.add(&resource.Block{Path: r.Path, Marker: r.Marker, Absent: true})
	case *resource.Link:
		if r.Path == "/pg" {
			m.add(&resource.Link{Path: r.Path, Absent: true})
		}
	}
}

// What deletes on the node what nobody brings back.
const (
	expireFolder  = "/var/lib/pigsty/removed"
	expireProgram = expireFolder + "/pigsty"
	expireService = "/etc/systemd/system/pigsty-expire.service"
	expireTimer   = "/etc/systemd/system/" + ExpireTimer

	// ExpireTimer is the unit that starts it.
	ExpireTimer = "pigsty-expire.timer"
)

// ExpireFiles are the files of the timer and of what it starts.
var ExpireFiles = []string{expireService, expireTimer}

// expiry lists what looks every hour for what has expired, in folders and in the member's server.
func (m *member) expiry() {
	m.add(&resource.OwnProgram{Path: expireProgram})
	server, err := json.Marshal(m.conn())
	if err != nil {
		panic(err) // three plain fields
	}
	m.add(&resource.File{Path: postgres.ExpireServer, Content: string(server) + "\n"})
	m.file(expireService, struct{ Program string }{expireProgram})
	m.file(expireTimer, nil)
	m.add(&resource.Unit{Unit: ExpireTimer})
}
