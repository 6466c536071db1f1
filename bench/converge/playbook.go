package main

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// task is one task of an Ansible playbook.
type task map[string]any

// playbook turns a node's steps into Ansible's tasks, one or two a step, with contents in files
// beside it.
type playbook struct {
	dir     string // of the contents
	files   int
	tasks   []task
	leftOut map[string]int // steps that have no counterpart, by kind
}

// add lists what ensures a step, under its name, or notes that nothing does.
func (p *playbook) add(r resource.Resource) error {
	before := len(p.tasks)
	err := p.translate(r)
	for _, t := range p.tasks[before:] {
		t["name"] = resource.ID(r)
	}
	return err
}

func (p *playbook) translate(r resource.Resource) error {
	switch r := r.(type) {
	case *resource.File:
		return p.file(r)
	case *postgres.VIPFile:
		return p.file(&resource.File{Path: r.Path, Content: r.Content})
	case *postgres.PatroniFile:
		return p.file(&resource.File{Path: r.Path, Content: r.Content, Owner: r.Owner, Group: r.Group, Mode: r.Mode})
	case *resource.Directory:
		if r.Absent {
			p.leftOut["directory that is to be gone"]++
			return nil
		}
		p.module("file", owned(task{"path": r.Path, "state": "directory"}, r.Owner, r.Group, r.Mode, 0o755))
	case *resource.Link:
		p.module("file", task{"path": r.Path, "src": r.Target, "state": "link", "force": true})
	case *resource.Block:
		p.block(r)
	case *resource.Packages:
		p.module("apt", task{"name": r.Packages, "state": "present", "install_recommends": false})
	case *resource.Group:
		p.module("group", compact(task{"name": r.Group, "gid": r.GID, "system": r.System}))
	case *resource.User:
		p.module("user", compact(task{
			"name": r.User, "uid": r.UID, "group": r.Group, "groups": r.Groups, "append": len(r.Groups) > 0, "home": r.Home,
			"shell": r.Shell, "comment": r.Comment, "system": r.System, "create_home": r.CreateHome,
		}))
	case *resource.Unit:
		p.unit(r)
	case *resource.Certificate:
		p.module("file", owned(task{"path": r.Path, "state": "file"}, r.Owner, r.Group, 0, 0o644))
		p.module("file", owned(task{"path": r.KeyPath, "state": "file"}, r.Owner, r.Group, r.KeyMode, 0o600))
	case *resource.Reserve:
		p.module("file", owned(task{"path": r.Path, "state": "file"}, r.Owner, "", r.Mode, 0o644))
	case *resource.TrustStore:
		return p.file(&resource.File{Path: "/usr/local/share/ca-certificates/" + r.Certificate + ".crt", Content: r.PEM})
	default:
		return p.system(r)
	}
	return nil
}

// system is for what the kernel, the distribution and PostgreSQL keep.
func (p *playbook) system(r resource.Resource) error {
	switch r := r.(type) {
	case *resource.Hostname:
		p.module("hostname", task{"name": r.Hostname, "use": "debian"})
	case *resource.Timezone:
		p.module("file", task{"path": "/etc/localtime", "src": "../usr/share/zoneinfo/" + r.Zone, "state": "link"})
		return p.file(&resource.File{Path: "/etc/timezone", Content: r.Zone + "\n"})
	case *resource.KernelModules:
		return p.file(&resource.File{Path: r.Name(), Content: strings.Join(r.Modules, "\n") + "\n"})
	case *resource.Sysctl:
		var text strings.Builder
		for _, key := range slices.Sorted(maps.Keys(r.Settings)) {
			fmt.Fprintf(&text, "%s = %s\n", key, r.Settings[key])
		}
		return p.file(&resource.File{Path: "/etc/sysctl.d/" + r.ID + ".conf", Content: text.String()})
	case *resource.TunedActive:
		return p.file(&resource.File{Path: "/etc/tuned/active_profile", Content: r.Profile + "\n"})
	case *postgres.Role:
		p.database("postgresql_user", r.Conn, compact(task{
			"name": r.Role, "password": r.Verifier, "role_attr_flags": flags(r), "conn_limit": r.ConnLimit,
		}))
	case *postgres.Database:
		p.database("postgresql_db", r.Conn, compact(task{"name": r.Database, "owner": r.Owner, "encoding": r.Encoding}))
	default:
		p.leftOut[r.Kind()]++
	}
	return nil
}

func (p *playbook) module(name string, arguments task) {
	p.tasks = append(p.tasks, task{"ansible.builtin." + name: arguments})
}

func (p *playbook) database(module string, c postgres.Conn, arguments task) {
	arguments["login_unix_socket"], arguments["port"] = c.Socket, c.Port
	p.tasks = append(p.tasks, task{"community.postgresql." + module: arguments, "become_user": c.User})
}

// file keeps the content beside the playbook: copied from there it is not taken for a template.
func (p *playbook) file(f *resource.File) error {
	if f.Absent {
		p.module("file", task{"path": f.Path, "state": "absent"})
		return nil
	}
	p.files++
	src := filepath.Join(p.dir, fmt.Sprint(p.files))
	if err := os.WriteFile(src, []byte(f.Content), 0o600); err != nil {
		return err
	}
	p.module("copy", owned(task{"src": src, "dest": f.Path, "force": !f.Once}, f.Owner, f.Group, f.Mode, 0o644))
	return nil
}

func (p *playbook) block(b *resource.Block) {
	arguments := task{"path": b.Path, "marker": "# {mark} pigsty " + b.Marker}
	if b.Absent {
		arguments["state"] = "absent"
	} else {
		arguments["block"] = strings.Join(b.Lines, "\n") + "\n"
	}
	p.module("blockinfile", arguments)
}

// unit leaves units out that are to be off and need not exist: Ansible's module fails for want
// of them.
func (p *playbook) unit(u *resource.Unit) {
	switch {
	case u.Masked:
		p.module("systemd", task{"name": u.Unit, "masked": true})
	case u.Stopped || u.Disabled:
		p.leftOut["unit that is to be off"]++
	default:
		p.module("systemd", task{"name": u.Unit, "state": "started", "enabled": true})
	}
}

// owned adds owner, group and mode. A group that is the owner's own is left to be as it is.
func owned(t task, owner, group string, mode, otherwise fs.FileMode) task {
	if owner == "" || owner == "root" {
		owner = "root"
		if group == "" {
			group = "root"
		}
	}
	if group != "" {
		t["group"] = group
	}
	if mode == 0 {
		mode = otherwise
	}
	t["owner"], t["mode"] = owner, fmt.Sprintf("0%o", mode.Perm())
	return t
}

// compact drops what is not set.
func compact(t task) task {
	maps.DeleteFunc(t, func(_ string, v any) bool {
		list, isList := v.([]string)
		return v == "" || v == 0 || v == false || isList && len(list) == 0
	})
	return t
}

// flags are a role's attributes as the module wants them.
func flags(r *postgres.Role) string {
	var list []string
	for _, f := range []struct {
		name string
		on   bool
	}{
		{"LOGIN", r.Login},
		{"SUPERUSER", r.Superuser},
		{"CREATEDB", r.Createdb || r.Superuser},
		{"CREATEROLE", r.Createrole || r.Superuser},
		{"REPLICATION", r.Replication || r.Superuser},
		{"BYPASSRLS", r.Bypassrls || r.Superuser},
		{"INHERIT", r.Inherit},
	} {
		switch {
		case f.on:
			list = append(list, f.name)
		case !r.Superuser:
			list = append(list, "NO"+f.name)
		}
	}
	return strings.Join(list, ",")
}
