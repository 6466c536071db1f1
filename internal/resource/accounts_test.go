package resource_test

import (
	"strings"
	"testing"

	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

func TestGroup(t *testing.T) {
	h := newNode(t)
	converge(t, h, &resource.Group{Group: "postgres", GID: 26, System: true}, resource.Create)
	converge(t, h, &resource.Group{Group: "etcd", System: true}, resource.Create)
	converge(t, h, &resource.Group{Group: "admin"}, resource.Create)
	want := "postgres:x:26:\netcd:x:999:\nadmin:x:1000:\n"
	if got := get(t, h, "/etc/group"); !strings.HasSuffix(got, want) {
		t.Errorf("/etc/group\n%s\nwant at its end\n%s", got, want)
	}
	refused(t, h, &resource.Group{Group: "postgres", GID: 27}, "has number 26 here and 27 is wanted")
	refused(t, h, &resource.Group{Group: "new", GID: 26}, "taken by group postgres")
}

func TestUser(t *testing.T) {
	h := newNode(t)
	for _, g := range []string{"postgres", "etcd", "redis"} {
		converge(t, h, &resource.Group{Group: g, System: true}, resource.Create)
	}
	u := &resource.User{
		User: "postgres", UID: 26, Group: "postgres", Groups: []string{"etcd"}, System: true,
		Home: "/var/lib/pgsql", Shell: "/bin/bash", Comment: "PostgreSQL", CreateHome: true,
	}
	converge(t, h, u, resource.Create)
	if got := get(t, h, "/etc/passwd"); !strings.Contains(got, "postgres:x:26:999:PostgreSQL:/var/lib/pgsql:/bin/bash\n") {
		t.Errorf("/etc/passwd\n%s", got)
	}
	if !exists(h, u.Home) {
		t.Error("no home folder")
	}
	u.Shell, u.Groups = "/bin/sh", []string{"redis"}
	c := converge(t, h, u, resource.Update)
	expectField(t, c, "shell", "/bin/bash", "/bin/sh")
	expectField(t, c, "groups", "", "redis")
	if got := get(t, h, "/etc/group"); !strings.Contains(got, "etcd:x:998:postgres\n") || !strings.Contains(got, "redis:x:997:postgres\n") {
		t.Errorf("/etc/group\n%s", got)
	}
	calls := h.Exec.(*simulate.Executor).Calls()
	if last := calls[len(calls)-1]; last != "usermod --shell /bin/sh --append --groups redis postgres" {
		t.Errorf("last command %q", last)
	}
	u.UID = 27
	refused(t, h, u, "has number 26 here and 27 is wanted")
	refused(t, h, &resource.User{User: "new", UID: 26}, "taken by user postgres")
}

func TestUserDefaults(t *testing.T) {
	h := newNode(t)
	converge(t, h, &resource.User{User: "dba"}, resource.Create)
	converge(t, h, &resource.User{User: "svc", System: true}, resource.Create)
	converge(t, h, &resource.Group{Group: "own"}, resource.Create)
	converge(t, h, &resource.User{User: "own"}, resource.Create)
	want := "dba:x:1000:1000::/home/dba:/bin/bash\nsvc:x:999:999::/home/svc:/usr/sbin/nologin\nown:x:1001:1001::/home/own:/bin/bash\n"
	if got := get(t, h, "/etc/passwd"); !strings.HasSuffix(got, want) {
		t.Errorf("/etc/passwd\n%s\nwant at its end\n%s", got, want)
	}
	if exists(h, "/home/dba") {
		t.Error("a home folder was made unasked")
	}
	converge(t, h, &resource.User{User: "dba", CreateHome: true}, resource.Update)
	if !exists(h, "/home/dba") {
		t.Error("no home folder")
	}
}
