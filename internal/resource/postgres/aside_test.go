package postgres

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgproto3"
	"pgregory.net/rapid"

	"pigsty/internal/resource"
)

func TestAsideName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(1, 63, 63).Draw(t, "name")
		as := asideName(name, noonForTest)
		if len(as) > longestName || !asideForm.MatchString(as) || !strings.HasPrefix(name, strings.TrimSuffix(as, ".removed-20261122T120000Z")) {
			t.Fatalf("%q becomes %q", name, as)
		}
		if utf8.ValidString(name) && !utf8.ValidString(as) {
			t.Fatalf("%q becomes %q, which is cut inside a character", name, as)
		}
	})
}

func TestAsideComment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := asideComment{
			Name: rapid.StringN(1, 20, -1).Filter(utf8.ValidString).Draw(t, "name"), Removed: noonForTest, Expires: noonForTest.AddDate(0, 0, 7),
			Open: rapid.Bool().Draw(t, "open"), Comment: hostileName().Draw(t, "comment"),
		}
		out, ok := readAsideComment(in.String())
		if !ok || out != in {
			t.Fatalf("%+v reads as %+v, %v", in, out, ok)
		}
	})
	for _, text := range []string{"", "the shop", "pigsty removed ", "pigsty removed {}", "pigsty removed nothing"} {
		if c, ok := readAsideComment(text); ok {
			t.Errorf("%q reads as %+v", text, c)
		}
	}
}

// keptServer has one database and one user set aside.
func keptServer(expires string) *fakeServer {
	note := `pigsty removed {"name":"shop","removed":"2026-11-22T12:00:00Z","expires":"` + expires + `","open":true,"comment":"goods"}`
	return &fakeServer{rows: map[string][]string{
		"UNION ALL":              {"database", "shop.removed-20261122T120000Z", note, "8000000"},
		"pg_is_in_recovery":      {"f"},
		"SELECT coalesce(shobj_": {note},
	}}
}

func TestDatabaseBack(t *testing.T) {
	s := keptServer("2026-11-29T12:00:00Z")
	h := s.host(t)
	back := &DatabaseBack{Database: "shop"}
	c, err := back.Diff(t.Context(), h)
	if err != nil || c == nil || c.Action != resource.Create {
		t.Fatalf("%+v, %v", c, err)
	}
	s.taken()
	if err := back.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`ALTER DATABASE "shop.removed-20261122T120000Z" RENAME TO "shop"`,
		`COMMENT ON DATABASE "shop" IS 'goods'`,
		`ALTER DATABASE "shop" ALLOW_CONNECTIONS true`,
	}
	if did := changing(s.taken()); !slices.Equal(did, want) {
		t.Errorf("did %q", did)
	}
	s.rows["SELECT 1 FROM pg_database"] = []string{"1"}
	if _, err := back.Diff(t.Context(), h); err == nil || !strings.Contains(err.Error(), "there is a database shop again") {
		t.Errorf("a taken name: %v", err)
	}
	if c, err := (&DatabaseBack{Database: "other"}).Diff(t.Context(), h); c != nil || err != nil {
		t.Errorf("another: %+v, %v", c, err)
	}
}

// changing are the statements that change something.
func changing(statements []string) []string {
	return slices.DeleteFunc(statements, func(sql string) bool {
		return !slices.ContainsFunc([]string{"ALTER", "COMMENT", "DROP", "REASSIGN"}, func(verb string) bool { return strings.HasPrefix(sql, verb) })
	})
}

// What has expired is dropped by a primary, and by nobody else.
func TestExpireInServer(t *testing.T) {
	expires := noonForTest.AddDate(0, 0, 7)
	for _, c := range []struct {
		name    string
		replica bool
		now     time.Time
		dropped int
	}{
		{"too early", false, expires.Add(-time.Second), 0},
		{"in time", false, expires, 1},
		{"a replica", true, expires, 0},
	} {
		s := keptServer(expires.Format(time.RFC3339))
		s.rows["FROM pg_database d JOIN pg_roles"] = databaseRowOf("shop")
		if c.replica {
			s.rows["pg_is_in_recovery"] = []string{"t"}
		}
		h := s.host(t)
		gone, err := Conn{}.Expire(t.Context(), h, c.now)
		if err != nil || len(gone) != c.dropped {
			t.Errorf("%s: dropped %+v, %v", c.name, gone, err)
		}
		want := []string(nil)
		if c.dropped > 0 {
			want = []string{`DROP DATABASE "shop.removed-20261122T120000Z"`}
		}
		if did := changing(s.taken()); !slices.Equal(did, want) {
			t.Errorf("%s: did %q", c.name, did)
		}
	}
}

// databaseRowOf is the catalog's row of an ordinary database.
func databaseRowOf(owner string) []string {
	return []string{"16400", owner, "UTF8", "C", "C", "pg_default", "t", "10", "f", "goods", "{}", ""}
}

func TestDatabaseAsideEndsSessions(t *testing.T) {
	s := &fakeServer{
		rows: map[string][]string{"FROM pg_database d JOIN pg_roles": databaseRowOf("shop"), "pg_database_size": {"8000000"}},
		fail: map[string]pgproto3.ErrorResponse{`RENAME TO`: {Code: stateInUse, Message: "database is being accessed by other users"}},
	}
	h := s.host(t)
	aside := &DatabaseAside{Database: "shop", As: "pg-test/shop", Days: 7}
	c, err := aside.Diff(t.Context(), h)
	if err != nil || c.Impact != resource.Restart {
		t.Fatalf("%+v, %v", c, err)
	}
	if err := aside.Apply(t.Context(), h); err == nil || !strings.Contains(err.Error(), "end the sessions that use it first") {
		t.Errorf("a database in use: %v", err)
	}
	s.mu.Lock()
	s.fail = nil
	s.mu.Unlock()
	s.taken()
	if err := aside.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	did := changing(s.taken())
	if len(did) != 3 || !strings.HasPrefix(did[0], `ALTER DATABASE "shop" RENAME TO "shop.removed-`) || !strings.Contains(did[1], "ALLOW_CONNECTIONS false") ||
		!strings.Contains(did[2], `IS 'pigsty removed {"name":"shop",`) || !strings.Contains(did[2], `"comment":"goods"`) {
		t.Errorf("did %q", did)
	}
}

func TestNoSessions(t *testing.T) {
	s := &fakeServer{rows: map[string][]string{"SELECT pid::text": {"7", "process 7 of app in shop"}}}
	h := s.host(t)
	n := &NoSessions{Database: "shop"}
	if _, err := n.Diff(t.Context(), h); err == nil || !strings.Contains(err.Error(), "database shop is in use by process 7 of app in shop: end that, or say --end-sessions") {
		t.Errorf("%v", err)
	}
	n.End = true
	c, err := n.Diff(t.Context(), h)
	if err != nil || c.Impact != resource.Restart || len(c.Fields) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	s.taken()
	if err := n.Apply(t.Context(), h); err != nil || !strings.Contains(strings.Join(s.taken(), "\n"), "pg_terminate_backend(pid)") {
		t.Errorf("%v", err)
	}
	s.rows = nil
	if c, err := n.Diff(t.Context(), h); c != nil || err != nil {
		t.Errorf("nobody: %+v, %v", c, err)
	}
}

func TestWithoutAside(t *testing.T) {
	owned := []string{
		"database shop", "database shop.removed-20261122T120000Z", "table public.sold in database shop",
		"objects in database shop.removed-20261122T120000Z, which could not be looked at (PostgreSQL does not run here)",
	}
	if rest := withoutAside(slices.Clone(owned)); !slices.Equal(rest, []string{owned[0], owned[2]}) {
		t.Errorf("left: %q", rest)
	}
}

// controlFile is as much of a server's control file as is looked at.
func controlFile(t *testing.T, h *resource.Host, dataDir string, state uint32) {
	t.Helper()
	data := make([]byte, 8192)
	binary.NativeEndian.PutUint64(data, 7423114532911)
	binary.NativeEndian.PutUint32(data[16:], state)
	binary.NativeEndian.PutUint64(data[32:], 0x3000028)
	binary.NativeEndian.PutUint32(data[48:], 4)
	path := filepath.Join(dataDir, "global", "pg_control")
	if err := os.MkdirAll(h.Path(filepath.Dir(path)), 0o755); err != nil {
		t.Fatal(err)
	}
	writeForTest(t, h.Path(path), string(data))
}

func TestInstanceAside(t *testing.T) {
	for _, c := range []struct {
		state   uint32
		primary bool
	}{{1, true}, {6, true}, {2, false}, {5, false}} {
		h := &resource.Host{Root: t.TempDir()}
		controlFile(t, h, "/data/postgres/pg-test-17/data", c.state)
		i := &InstanceAside{
			Instance: "pg-test-1", Cluster: "pg-test", As: "pg-test", DataDir: "/data/postgres/pg-test-17/data",
			Paths: []string{"/data/postgres/pg-test-17"}, Days: 7,
		}
		if err := i.Apply(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		all, err := resource.Asides(h)
		want := resource.Server{System: "7423114532911", Timeline: 4, Checkpoint: 0x3000028, Primary: c.primary}
		if err != nil || len(all) != 1 || *all[0].Server != want {
			t.Errorf("state %d: %+v, %v", c.state, all, err)
		}
	}
}

func TestInstanceAsideRefusesARunningServer(t *testing.T) {
	h := &resource.Host{Root: t.TempDir()}
	controlFile(t, h, "/data/a/data", 6)
	i := &InstanceAside{Instance: "pg-test-1", DataDir: "/data/a/data", Paths: []string{"/data/a"}}
	writeForTest(t, h.Path("/data/a/data/postmaster.pid"), "4711\n/data/a/data\n")
	if err := os.MkdirAll(h.Path("/proc/4711"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeForTest(t, h.Path("/proc/4711/comm"), "postgres\n")
	if err := i.Apply(t.Context(), h); err == nil || !strings.Contains(err.Error(), "still runs on /data/a/data as process "+strconv.Itoa(4711)) {
		t.Errorf("%v", err)
	}
	writeForTest(t, h.Path("/proc/4711/comm"), "bash\n") // the number is another's by now
	i.Now = true
	c, err := i.Diff(t.Context(), h)
	if err != nil || c.Impact != resource.DataLoss {
		t.Fatalf("%+v, %v", c, err)
	}
	if err := i.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(h.Path("/data/a*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
