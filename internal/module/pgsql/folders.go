package pgsql

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// folders lays out v1.5's file tree: data on the main disk, backups on their own, and /pg to
// reach both by. Nothing that is there is removed; Patroni refuses a data directory that is
// neither empty nor a database, and one that is a database is kept.
func (m *member) folders() {
	ident := fmt.Sprintf("%s-%d", m.c.Name, m.i.Version())
	main, backup := m.p.PgFsMain+"/postgres/"+ident, m.p.PgFsBkup+"/postgres/"+ident
	m.tree(m.p.PgFsMain, ident, "bin", "log", "log/postgres", "tmp", "conf", "data", "meta", "stat", "change")
	if main == backup { // one disk for both: everything lies side by side
		for _, sub := range backupFolders {
			m.directory(main+"/"+sub, 0o700)
		}
	} else {
		m.tree(m.p.PgFsBkup, ident, backupFolders...)
		for _, sub := range backupFolders[1:] {
			m.add(&resource.Link{Path: main + "/" + sub, Target: backup + "/" + sub})
		}
	}
	m.add(&resource.Link{Path: "/pg", Target: main})
	if m.p.PgData != "/pg/data" {
		m.directory(m.p.PgData, 0o700)
	}
	if size := byteSize(m.p.PgDummyFilesize); size > 0 {
		m.add(&resource.Reserve{Path: main + "/dummy", Size: size, Owner: m.p.PgDbsu, Mode: 0o600})
	}
	m.socketFolder()
}

// backupFolders lie on the disk for backups; all but the first are linked to from /pg.
var backupFolders = []string{"postgres", "arcwal", "backup", "remote"}

// tree lists <disk>/postgres/<ident> with folders in it. The disk's own folder belongs to root,
// and everybody may pass through it.
func (m *member) tree(disk, ident string, folders ...string) {
	m.directory(disk+"/postgres", 0o700)
	m.directory(disk+"/postgres/"+ident, 0o700)
	for _, sub := range folders {
		m.directory(disk+"/postgres/"+ident+"/"+sub, 0o700)
	}
}

// socketFolder makes the folder of the Unix sockets where Debian's package does not, or makes it
// for another user.
func (m *member) socketFolder() {
	socket := m.socket()
	if !strings.HasPrefix(socket, "/") || (socket == "/run/postgresql" && m.p.PgDbsu == "postgres") {
		return
	}
	if strings.HasPrefix(socket, "/run/") {
		// Read before Debian's own postgresql-common.conf, and the first line of a path wins.
		m.file("/etc/tmpfiles.d/pigsty-pgsql.conf", struct{ Socket, User string }{socket, m.p.PgDbsu})
	}
	m.directory(socket, fs.ModeSetgid|0o775)
}

// certDays is ten years: certificates are renewed by an apply, and nothing reminds of one.
const certDays = 3650

// certificate is what the server, the pool and Patroni serve with, under every name that clients
// call them by, and what they show to etcd. Those are the names of all members, as the balancer of
// each leads to the others, and TLS ends at the server that it leads to. It has no common name, whose place the alternative
// names have taken: etcd's JSON gateway refuses clients that have one, see etcd.API.
func (m *member) certificate() {
	leaf := pki.Leaf{Days: certDays}
	names := []string{m.c.Name, "localhost", "127.0.0.1", "::1"}
	for _, i := range m.c.Instances {
		names = append(names, i.Name, i.Node.Name, i.Node.Addr)
	}
	for _, s := range m.c.Services {
		names = append(names, s.Name)
	}
	if m.c.Param.VipMode != "none" {
		names = append(names, m.c.Param.VipAddress)
	}
	leaf.DNSNames, leaf.Addresses = pki.Names(names...)
	m.add(&resource.Directory{Path: certDir})
	m.add(&resource.Certificate{Path: certFile, KeyPath: keyFile, Leaf: leaf, CA: m.d.CA, Owner: m.p.PgDbsu},
		m.certificateUsers()...)
}

func (m *member) certificateUsers() []resource.Notification {
	var users []resource.Notification
	if m.c.Param.PatroniEnabled {
		users = append(users, postgres.PatroniReads(patroniConfig))
	}
	if m.p.PgbouncerEnabled {
		users = append(users, resource.ReloadOf(pgbouncerUnit))
	}
	if m.p.HaproxyEnabled {
		users = append(users, resource.ReloadOf(haproxyUnit))
	}
	if m.hasVIPManager() {
		users = append(users, resource.RestartOf(model.VIPManagerUnit)) // it reads its certificate at start only
	}
	return users
}

// units are the suffixes of a size, as powers of 1024: v1.5 writes MiB and means it.
var units = map[string]int64{"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}

// byteSize reads a size such as 64MiB, whose form param has checked.
func byteSize(text string) int64 {
	digits := strings.TrimRight(text, " kKmMgGtTiIbB")
	unit := strings.ToLower(strings.TrimSpace(strings.TrimPrefix(text, digits)))
	number, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return 0
	}
	return int64(number * float64(units[strings.TrimSuffix(strings.TrimSuffix(unit, "b"), "i")]))
}
