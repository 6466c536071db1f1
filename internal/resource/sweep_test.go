package resource_test

import (
	"slices"
	"testing"

	"pigsty/internal/resource"
)

// A sweep takes what runs wrote and nobody wants, and nothing else.
func TestSweep(t *testing.T) {
	h := newNode(t)
	const dir, mark = "/etc/prometheus/targets/pgsql", "# Written by us."
	s := &resource.Sweep{Path: dir, Mark: mark, Keep: []string{"pg-test-1.yml"}, KeepAbout: []string{"10.10.10.1."}}
	quiet(t, h, s) // there is no such folder
	ours := mark + "\n- targets: []\n"
	for name, text := range map[string]string{
		"pg-test-1.yml": ours, "pg-gone-1.yml": ours, "10.10.10.1.yml": ours, "10.10.10.11.yml": ours,
		"own.yml": "- targets: []\n", "pg-gone-1.yml.orig": "# of somebody\n" + ours,
	} {
		put(t, h, dir+"/"+name, text)
	}
	c := converge(t, h, s, resource.Delete)
	want := []resource.Field{{Name: "removed", After: dir + "/10.10.10.11.yml"}, {Name: "removed", After: dir + "/pg-gone-1.yml"}}
	if !slices.Equal(c.Fields, want) {
		t.Errorf("removed: %v", c.Fields)
	}
}
