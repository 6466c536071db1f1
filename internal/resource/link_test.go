package resource_test

import (
	"testing"

	"pigsty/internal/resource"
)

func TestLink(t *testing.T) {
	h := newNode(t)
	l := &resource.Link{Path: "/pg", Target: "/data/postgres/pg-test-17"}
	converge(t, h, l, resource.Create)
	converge(t, h, &resource.Directory{Path: l.Target}, resource.Create)
	put(t, h, "/pg/dummy", "")
	if !exists(h, "/data/postgres/pg-test-17/dummy") {
		t.Error("an absolute link leads out of the root")
	}
	l.Target = "data/elsewhere"
	converge(t, h, l, resource.Update)
	put(t, h, "/etc/file", "")
	converge(t, h, &resource.Link{Path: "/etc/file", Target: "hosts"}, resource.Update)
	refused(t, h, &resource.Link{Path: "/etc", Target: "x"}, "is a directory")
	l.Absent = true
	converge(t, h, l, resource.Delete)
	quiet(t, h, &resource.Link{Path: "/etc", Absent: true})
}
