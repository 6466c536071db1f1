package etcd

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/resource"
)

func someAccess(f *fakeEtcd) *Access {
	return &Access{Store: "pigsty", API: f.api, Users: []User{{"pg-meta", "metapw", "/pg/pg-meta/"}}}
}

// lockedAnswers are those of a cluster in which authentication is on and all is in place.
var lockedAnswers = map[string]string{
	"metrics": metricsAt8, "auth/authenticate": rootsToken,
	"auth/user/list": needsUser, "auth/user/list +token": `{"users":["pg-meta", "root"]}`,
	`auth/role/get {"role":"root"}`: nothing, `auth/user/get {"name":"root"}`: `{"roles":["root"]}`,
	`auth/role/get {"role":"pg-meta"}`: `{"perm":[{"permType":"READWRITE", "key":"L3BnL3BnLW1ldGEv", "range_end":"L3BnL3BnLW1ldGEw"}]}`,
	`auth/user/get {"name":"pg-meta"}`: `{"roles":["pg-meta"]}`,
	"auth/user/changepw":               nothing,
}

func TestAccessOfANewCluster(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	f := newFakeEtcd(t, h, map[string]string{
		"metrics": metricsAt8, "auth/user/list": nothing, "auth/role/get": noSuchRole, "auth/role/add": nothing,
		"auth/role/grant": nothing, "auth/user/add": nothing, "auth/user/grant": nothing, "auth/enable": nothing,
	})
	a := someAccess(f)
	if c := diff(t, h, a); c == nil || c.Action != resource.Create || c.Fields[len(c.Fields)-1] != (resource.Field{Name: "authentication", Before: "off", After: "on"}) {
		t.Errorf("gives %+v", c)
	}
	if err := a.Apply(context.Background(), h); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`auth/role/add {"name":"root"}`,
		`auth/user/add {"name":"root","password":"rootpw"}`,
		`auth/user/grant {"role":"root","user":"root"}`,
		`auth/role/add {"name":"pg-meta"}`,
		`auth/role/grant {"name":"pg-meta","perm":{"permType":"READWRITE","key":"L3BnL3BnLW1ldGEv","range_end":"L3BnL3BnLW1ldGEw"}}`,
		`auth/user/add {"name":"pg-meta","password":"metapw"}`,
		`auth/user/grant {"role":"pg-meta","user":"pg-meta"}`,
		`auth/enable {}`,
	}
	if diff := cmp.Diff(want, f.changed()); diff != "" {
		t.Error(diff)
	}
	f.asked = nil
	if c := diff(t, h, a); c != nil {
		t.Errorf("then %+v", c)
	}
	if diff := cmp.Diff([]string{"metrics"}, f.asked); diff != "" {
		t.Errorf("a converged cluster is asked more than its revision:\n%s", diff)
	}
}

func TestReceiptHoldsNoPassword(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	f := newFakeEtcd(t, h, maps.Clone(lockedAnswers))
	a := someAccess(f)
	if err := a.Apply(context.Background(), h); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(h.Path(receiptFile))
	if err != nil || strings.Contains(string(text), "metapw") || strings.Contains(string(text), "rootpw") {
		t.Errorf("%s %v", text, err)
	}
	if info, err := os.Stat(h.Path(receiptFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	a.Users[0].Password = "other"
	if readReceipt(h).fits(a, "8") {
		t.Error("the receipt fits another password")
	}
}

func TestAccessFindsAChangedPassword(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	answers := maps.Clone(lockedAnswers)
	f := newFakeEtcd(t, h, answers)
	a := someAccess(f)
	if c := diff(t, h, a); c != nil {
		t.Errorf("all in place gives %+v", c)
	}
	answers[`auth/authenticate {"name":"pg-meta","password":"metapw"}`] = wrongWord
	c := diff(t, h, a)
	if c == nil || len(c.Fields) != 1 || c.Fields[0].Name != "password of pg-meta" {
		t.Fatalf("gives %+v", c)
	}
	if text, err := json.Marshal(c); err != nil || strings.Contains(string(text), "metapw") {
		t.Errorf("the change shows the password: %s %v", text, err)
	}
	if err := a.Apply(context.Background(), h); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`auth/user/changepw {"name":"pg-meta","password":"metapw"}`}, f.changed()); diff != "" {
		t.Error(diff)
	}
}

func TestAccessWithAnotherRootPassword(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	f := newFakeEtcd(t, h, map[string]string{"metrics": metricsAt8, "auth/user/list": needsUser, "auth/authenticate": wrongWord})
	_, err := someAccess(f).Diff(context.Background(), h)
	if err == nil || !strings.Contains(err.Error(), "etcd_root_password") {
		t.Errorf("says %v", err)
	}
}

// A new password of root is set with the old one, which the node has kept; once.
func TestRootPasswordChanges(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	answers := maps.Clone(lockedAnswers)
	f := newFakeEtcd(t, h, answers)
	a := someAccess(f)
	put(t, h, RootFile, "rootpw")
	a.API.Password = "newpw"
	wrong := `auth/authenticate {"name":"root","password":"newpw"}`
	answers[wrong] = wrongWord
	c := diff(t, h, a)
	if c == nil || c.Fields[len(c.Fields)-1].Name != "password of root" {
		t.Fatalf("gives %+v", c)
	}
	if text, err := json.Marshal(c); err != nil || strings.Contains(string(text), "newpw") || strings.Contains(string(text), "rootpw") {
		t.Errorf("the change shows a password: %s %v", text, err)
	}
	if err := a.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`auth/user/changepw {"name":"root","password":"newpw"}`}, f.changed()); diff != "" {
		t.Error(diff)
	}
	delete(answers, wrong)
	if c := diff(t, h, a); c != nil {
		t.Errorf("then %+v", c)
	}
}

// The member that answers may not have seen yet that another one gave out the token.
func TestTokenThatIsNotKnownYet(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	f := newFakeEtcd(t, h, map[string]string{
		"auth/authenticate": rootsToken, "cluster/member/list": needsUser, "cluster/member/list +token": twoMembers,
	})
	f.behind = 2
	client, err := f.api.open(h)
	if err != nil {
		t.Fatal(err)
	}
	defer client.close()
	if members, err := client.members(t.Context()); err != nil || len(members) != 2 {
		t.Errorf("%d members, error %v", len(members), err)
	}
}
