package resource_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pigsty/internal/resource"
)

const removedDir = "/var/lib/pigsty/removed"

func instanceAside(paths ...string) *resource.SetAside {
	return &resource.SetAside{
		What: resource.AsideInstance, Item: "pg-test-1", As: "pg-test", Cluster: "pg-test", Days: 7, Paths: paths,
		Server: &resource.Server{System: "7", Timeline: 3, Checkpoint: 5, Primary: true},
	}
}

// asides lists what is set aside, and fails the test on an error.
func asides(t *testing.T, h *resource.Host) []resource.Aside {
	t.Helper()
	all, err := resource.Asides(h)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSetAsideAndPutBack(t *testing.T) {
	h := newNode(t)
	const data, backup = "/data/postgres/pg-test-17", "/data/backups/postgres/pg-test-17"
	put(t, h, data+"/data/PG_VERSION", "17\n")
	put(t, h, backup+"/arcwal/1", "wal")
	s := instanceAside(data, backup, "/nowhere")
	c := converge(t, h, s, resource.Delete)
	expectField(t, c, "kept", "", "7 days")
	expectNote(t, h, "pigsty undo pg-test brings it back")
	if exists(h, data) || exists(h, backup) {
		t.Error("the folders are still in their places")
	}
	all := asides(t, h)
	if len(all) != 1 || all[0].Name != "pg-test" || len(all[0].Moves) != 2 || all[0].Bytes == 0 || !all[0].Server.Primary {
		t.Fatalf("set aside: %+v", all)
	}
	if days := all[0].Expires.Sub(all[0].Removed); days != 7*24*time.Hour {
		t.Errorf("it expires after %s", days)
	}
	back := &resource.PutBack{What: resource.AsideInstance, Item: "pg-test-1"}
	converge(t, h, back, resource.Create)
	if text := get(t, h, data+"/data/PG_VERSION"); text != "17\n" {
		t.Errorf("%q came back", text)
	}
	if left := asides(t, h); len(left) != 0 || get(t, h, backup+"/arcwal/1") != "wal" {
		t.Errorf("left: %+v", left)
	}
}

// A run that was cut short between two folders is finished by the next, and one thing remains.
func TestSetAsideAfterInterruption(t *testing.T) {
	h := newNode(t)
	put(t, h, "/data/a/1", "one")
	put(t, h, "/data/b/1", "two")
	s := instanceAside("/data/a", "/data/b")
	converge(t, h, s, resource.Delete)
	moved := asides(t, h)[0].Moves[1]
	if err := os.Rename(h.Path(moved.To), h.Path(moved.From)); err != nil {
		t.Fatal(err)
	}
	h.TakeNotes()
	converge(t, h, s, resource.Delete)
	all := asides(t, h)
	if len(all) != 1 || len(all[0].Moves) != 2 || get(t, h, moved.To+"/1") != "two" {
		t.Errorf("then: %+v", all)
	}
}

// What somebody made in the place meanwhile is not lost.
func TestPutBackRefusesATakenPlace(t *testing.T) {
	h := newNode(t)
	put(t, h, "/data/a/PG_VERSION", "17\n")
	converge(t, h, instanceAside("/data/a"), resource.Delete)
	back := &resource.PutBack{What: resource.AsideInstance, Item: "pg-test-1"}
	put(t, h, "/data/a/PG_VERSION", "18\n")
	refused(t, h, back, "/data/a is in use again")
	if err := os.Remove(h.Path("/data/a/PG_VERSION")); err != nil {
		t.Fatal(err)
	}
	converge(t, h, back, resource.Create) // empty folders are no obstacle
	if text := get(t, h, "/data/a/PG_VERSION"); text != "17\n" {
		t.Errorf("%q came back", text)
	}
}

func TestPutBackTakesTheLast(t *testing.T) {
	h := newNode(t)
	note := func(at, to string) {
		put(t, h, removedDir+"/pg-test-1.removed-"+at+".json",
			`{"what":"instance","item":"pg-test-1","name":"pg-test-1","removed":"`+at[:4]+`-01-01T00:00:00Z","moves":[{"from":"/data/a","to":"`+to+`"}]}`)
	}
	note("20250101T000000Z", "/data/a.removed-20250101T000000Z")
	note("20260101T000000Z", "/data/a.removed-20260101T000000Z")
	put(t, h, "/data/a.removed-20250101T000000Z/1", "old")
	put(t, h, "/data/a.removed-20260101T000000Z/1", "new")
	back := &resource.PutBack{What: resource.AsideInstance, Item: "pg-test-1"}
	if err := back.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if text := get(t, h, "/data/a/1"); text != "new" {
		t.Errorf("%q came back", text)
	}
	if left := asides(t, h); len(left) != 1 || left[0].Removed.Year() != 2025 {
		t.Errorf("left: %+v", left)
	}
}

func TestExpire(t *testing.T) {
	h := newNode(t)
	put(t, h, "/data/a/1", "short")
	put(t, h, "/data/b/1", "for ever")
	converge(t, h, instanceAside("/data/a"), resource.Delete)
	forever := instanceAside("/data/b")
	forever.Item, forever.Days = "pg-test-2", 0
	converge(t, h, forever, resource.Delete)
	now := asides(t, h)[0].Removed
	for _, c := range []struct {
		after time.Duration
		gone  []string
	}{
		{7*24*time.Hour - time.Second, nil},
		{7 * 24 * time.Hour, []string{"pg-test-1"}},
		{1000 * 24 * time.Hour, nil},
	} {
		expired, err := resource.Expire(h, now.Add(c.after))
		var gone []string
		for _, a := range expired {
			gone = append(gone, a.Item)
		}
		if err != nil || !slices.Equal(gone, c.gone) {
			t.Errorf("after %s: %q, %v; want %q", c.after, gone, err, c.gone)
		}
	}
	kept, err := filepath.Glob(h.Path("/data/*.removed-*/1"))
	if err != nil || len(kept) != 1 || !strings.Contains(kept[0], "/b.removed-") {
		t.Errorf("kept %v, %v", kept, err)
	}
}

// A file that was tampered with cannot have anything deleted that was not set aside.
func TestExpireDeletesOnlyWhatWasSetAside(t *testing.T) {
	h := newNode(t)
	put(t, h, "/etc/important", "text")
	put(t, h, removedDir+"/x.removed-20200101T000000Z.json",
		`{"what":"instance","item":"x","name":"x","removed":"2020-01-01T00:00:00Z","expires":"2020-01-02T00:00:00Z","moves":[{"from":"/a","to":"/etc"}]}`)
	if _, err := resource.Expire(h, time.Now()); err != nil {
		t.Fatal(err)
	}
	if get(t, h, "/etc/important") != "text" {
		t.Error("it is gone")
	}
}

func TestDestroyAside(t *testing.T) {
	h := newNode(t)
	put(t, h, "/data/a/1", "one")
	converge(t, h, instanceAside("/data/a"), resource.Delete)
	quiet(t, h, &resource.DestroyAside{What: resource.AsideInstance, Item: "pg-test-2"})
	c := converge(t, h, &resource.DestroyAside{What: resource.AsideInstance, Item: "pg-test-1"}, resource.Delete)
	if c.Impact != resource.DataLoss {
		t.Errorf("impact %s", c.Impact)
	}
	if left, err := filepath.Glob(h.Path("/data/a*")); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestOwnProgram(t *testing.T) {
	h := newNode(t)
	converge(t, h, &resource.OwnProgram{Path: removedDir + "/pigsty"}, resource.Create)
	info, err := os.Stat(h.Path(removedDir + "/pigsty"))
	if err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestUnitFilesRead(t *testing.T) {
	h := newNode(t)
	read := &resource.UnitFilesRead{}
	quiet(t, h, read)
	unit := &resource.File{Path: "/etc/systemd/system/x.service", Content: "[Service]\nExecStart=/bin/true\n"}
	converge(t, h, unit, resource.Create)
	converge(t, h, read, resource.Run)
	unit.Absent = true
	converge(t, h, unit, resource.Delete)
	converge(t, h, read, resource.Run)
}
