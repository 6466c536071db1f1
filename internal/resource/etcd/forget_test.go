package etcd

import (
	"slices"
	"strings"
	"testing"

	"pigsty/internal/resource"
)

// a stranger is not told anything of keys.
const notAllowed = `!{"code":7, "message":"etcdserver: permission denied"}`

func TestForget(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	f := newFakeEtcd(t, h, map[string]string{
		"kv/range":              notAllowed,
		"kv/range +token":       `{"count":"5"}`,
		"kv/deleterange +token": `{"deleted":"5"}`,
		"auth/authenticate":     rootsToken,
		"auth/user/get":         `{"roles":["pg-test"]}`,
		"auth/role/get":         `{"perm":[]}`,
		"auth/user/delete":      nothing,
		"auth/role/delete":      nothing,
	})
	forget := &Forget{API: f.api, Key: "/pg/pg-test/", User: "pg-test"}
	c := diff(t, h, forget)
	if c == nil || c.Action != resource.Delete || len(c.Fields) != 3 || c.Fields[0].Before != "5" {
		t.Fatalf("gives %+v", c)
	}
	f.asked = nil
	if err := forget.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	deleted := slices.DeleteFunc(slices.Clone(f.asked), func(q string) bool { return !strings.Contains(q, "/delete") })
	want := []string{
		`kv/deleterange {"key":"L3BnL3BnLXRlc3Qv","range_end":"L3BnL3BnLXRlc3Qw"}`, // /pg/pg-test/ up to /pg/pg-test0
		`auth/user/delete {"name":"pg-test"}`,
		`auth/role/delete {"role":"pg-test"}`,
	}
	if !slices.Equal(deleted, want) {
		t.Errorf("asked %q", deleted)
	}
}

// One key is that key alone, and an account that is not there is nothing to do.
func TestForgetFindsNothing(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	f := newFakeEtcd(t, h, map[string]string{
		"kv/range":      `{"header":{}}`, // etcd leaves out a count of 0
		"auth/user/get": `!{"code":9, "message":"etcdserver: user name not found"}`,
		"auth/role/get": noSuchRole,
	})
	if c := diff(t, h, &Forget{API: f.api, Key: "/pg/pg-test/members/pg-test-3", User: "pg-test"}); c != nil {
		t.Errorf("gives %+v", c)
	}
	if f.asked[0] != `kv/range {"count_only":true,"key":"L3BnL3BnLXRlc3QvbWVtYmVycy9wZy10ZXN0LTM="}` {
		t.Errorf("asked %q", f.asked[0])
	}
}

// A node without a certificate is no client of the store.
func TestForgetWithoutACertificate(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	if c := diff(t, h, &Forget{API: API{CA: "/ca.crt"}, Key: "/pg/pg-test/"}); c != nil {
		t.Errorf("gives %+v", c)
	}
}
