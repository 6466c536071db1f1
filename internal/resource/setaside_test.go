package resource_test

import (
	"os"
	"path/filepath"
	"testing"

	"pigsty/internal/resource"
)

func TestSetAsideKeepsTheData(t *testing.T) {
	h := newNode(t)
	put(t, h, "/data/postgres/pg-test-17/data/PG_VERSION", "17\n")
	s := &resource.SetAside{Path: "/data/postgres/pg-test-17"}
	converge(t, h, s, resource.Delete)
	kept, err := filepath.Glob(h.Path("/data/postgres/pg-test-17.removed-*/data/PG_VERSION"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept %v, %v", kept, err)
	}
	if text, err := os.ReadFile(kept[0]); err != nil || string(text) != "17\n" {
		t.Errorf("%q, %v", text, err)
	}
	expectNote(t, h, "the data is kept in /data/postgres/pg-test-17.removed-")
}
