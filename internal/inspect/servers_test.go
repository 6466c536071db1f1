package inspect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stat is an answer of HAProxy 3.0 to "show stat", with the columns that matter.
const stat = `# pxname,svname,scur,status,weight,bck,lastchg,check_status,check_code,
stats,FRONTEND,0,OPEN,,,,,,
pg-test-primary,pg-test-1,3,UP,100,0,27,L7OK,200,
pg-test-primary,pg-test-2,0,DOWN,100,0,26,* L7STS,503,
pg-test-replica,pg-test-1,0,UP,100,1,27,* L7OK,0,
pg-test-primary,BACKEND,3,UP,100,0,27,,,

`

func TestReadServers(t *testing.T) {
	got, err := readServers(strings.NewReader(stat))
	if err != nil {
		t.Fatal(err)
	}
	want := []Server{
		{Service: "pg-test-primary", Server: "pg-test-1", Status: "up", Weight: 100, Sessions: 3, Check: "L7OK 200", Since: 27},
		{Service: "pg-test-primary", Server: "pg-test-2", Status: "down", Weight: 100, Check: "L7STS 503", Since: 26},
		{Service: "pg-test-replica", Server: "pg-test-1", Status: "up", Backup: true, Weight: 100, Check: "L7OK", Since: 27},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := readServers(strings.NewReader("")); err == nil {
		t.Error("no answer is taken for one")
	}
}
