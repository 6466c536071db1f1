package secret

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// newInventory makes an empty inventory file in a folder of its own.
func newInventory(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pigsty.yml")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustOpen(t *testing.T, inventory string) *Store {
	t.Helper()
	s, err := Open(inventory)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustEnsure(t *testing.T, s *Store, names ...string) []string {
	t.Helper()
	generated, err := s.Ensure(names)
	if err != nil {
		t.Fatal(err)
	}
	return generated
}

func TestOpenLaysOutTheFolder(t *testing.T) {
	inventory := newInventory(t)
	s := mustOpen(t, inventory)
	if want := filepath.Join(filepath.Dir(inventory), ".pigsty", "pigsty"); s.Dir() != want {
		t.Errorf("folder %s, want %s", s.Dir(), want)
	}
	for path, mode := range map[string]fs.FileMode{
		s.Dir():                               0o700,
		filepath.Join(s.Dir(), "secrets.yml"): 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v; want mode %o", path, info, err, mode)
		}
	}
	ignore, err := os.ReadFile(filepath.Join(filepath.Dir(s.Dir()), ".gitignore"))
	if err != nil || string(ignore) != "*\n" {
		t.Errorf(".gitignore: %q, %v", ignore, err)
	}
}

func TestOpenFollowsALinkedInventory(t *testing.T) {
	inventory := newInventory(t)
	link := filepath.Join(t.TempDir(), "other.yml")
	if err := os.Symlink(inventory, link); err != nil {
		t.Fatal(err)
	}
	if a, b := mustOpen(t, inventory).Dir(), mustOpen(t, link).Dir(); a != b {
		t.Errorf("one inventory, two folders: %s and %s", a, b)
	}
}

func TestOpenNeedsAnInventory(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "absent.yml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestEnsureMakesEachSecretOnce(t *testing.T) {
	inventory := newInventory(t)
	s := mustOpen(t, inventory)
	got := mustEnsure(t, s, "pg_monitor_password", "grafana_admin_password", "pg_monitor_password")
	if diff := cmp.Diff([]string{"grafana_admin_password", "pg_monitor_password"}, got); diff != "" {
		t.Error(diff)
	}
	again := mustOpen(t, inventory)
	if got := mustEnsure(t, again, "pg_monitor_password"); len(got) != 0 {
		t.Errorf("made again: %v", got)
	}
	if diff := cmp.Diff(s.Values(), again.Values()); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(s.Seed(), again.Seed()) || len(s.Seed()) != seedSize {
		t.Error("the seed changed")
	}
	if _, ok := s.Values()[seedKey]; ok {
		t.Error("the seed is among the passwords")
	}
}

func TestEnsureKeepsWhatPeopleWrote(t *testing.T) {
	inventory := newInventory(t)
	s := mustOpen(t, inventory)
	path := filepath.Join(s.Dir(), fileName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	mine := string(text) + "# from the vault\npg_admin_password: 'it''s mine' # do not touch\nnumber: 0123"
	if err := os.WriteFile(path, []byte(mine), 0o600); err != nil {
		t.Fatal(err)
	}
	mustEnsure(t, s, "pg_admin_password", "number", "new", "odd: \"name\" é\n")
	now, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(now), mine+"\n") {
		t.Errorf("rewritten as %s (%v)", now, err)
	}
	values := s.Values()
	if values["pg_admin_password"] != "it's mine" || values["number"] != "0123" {
		t.Errorf("read as %q and %q", values["pg_admin_password"], values["number"])
	}
	if len(values["new"]) != passwordLength || len(values["odd: \"name\" é\n"]) != passwordLength {
		t.Errorf("names are %q", slices.Sorted(maps.Keys(values)))
	}
}

func TestEnsureRefusesNames(t *testing.T) {
	s := mustOpen(t, newInventory(t))
	for _, name := range []string{"", "seed"} {
		if _, err := s.Ensure([]string{name}); err == nil {
			t.Errorf("%q became a secret", name)
		}
	}
}

func TestRunsAtTheSameTimeAgree(t *testing.T) {
	inventory := newInventory(t)
	stores := make([]*Store, 8)
	var wg sync.WaitGroup
	for i := range stores {
		wg.Go(func() {
			s, err := Open(inventory)
			if err == nil {
				_, err = s.Ensure([]string{"a", "b"})
			}
			if err != nil {
				t.Error(err)
			}
			stores[i] = s
		})
	}
	wg.Wait()
	for _, s := range stores {
		if diff := cmp.Diff(stores[0].Values(), s.Values()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestOpenRefusesAFileOthersCanRead(t *testing.T) {
	inventory := newInventory(t)
	path := filepath.Join(mustOpen(t, inventory).Dir(), fileName)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(inventory); err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
		t.Errorf("got %v", err)
	}
}

func TestMalformedFilesNameTheLineAndNoSecret(t *testing.T) {
	seed := "seed: " + strings.Repeat("A", 43) + "=\n"
	for name, c := range map[string]struct{ text, want string }{
		"not YAML":      {seed + "a: *hunter2\n", ":2: not a valid YAML file"},
		"bad quoting":   {seed + "b: hunter2\na: \"hunter2\n", "not a valid YAML file"},
		"a list":        {"- hunter2\n", ":1: not a list of the form name: value"},
		"nested":        {seed + "a:\n  b: hunter2\n", ":2: not of the form"},
		"no value":      {seed + "a:\n", ":2: a has no value"},
		"empty value":   {seed + "a: ''\n", ":2: a has no value"},
		"twice":         {seed + "a: hunter2\na: hunter2\n", ":3: a is already given on line 2"},
		"bad seed":      {"# comment\nseed: hunter2\n", ":2: the seed is not"},
		"in braces":     {"{seed: " + strings.Repeat("A", 43) + "=, a: hunter2}\n", "plain lines"},
		"two documents": {seed + "---\na: hunter2\n", "secrets.yml"},
	} {
		t.Run(name, func(t *testing.T) {
			inventory := newInventory(t)
			path := filepath.Join(mustOpen(t, inventory).Dir(), fileName)
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(inventory)
			if err == nil {
				_, err = s.Ensure([]string{"more"})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells a secret: %v", err)
			}
			if now, _ := os.ReadFile(path); string(now) != c.text {
				t.Errorf("the file was changed to %s", now)
			}
		})
	}
}

func TestPasswordsAreSafeAnywhere(t *testing.T) {
	seen := make(map[string]bool)
	for range 500 {
		p := NewPassword()
		if len(p) != passwordLength || strings.Trim(p, alphabet) != "" || strings.Contains(digits, p[:1]) {
			t.Fatalf("password %q", p)
		}
		if seen[p] {
			t.Fatalf("%q came twice", p)
		}
		seen[p] = true
	}
	if strings.ContainsAny(alphabet, `0O1lI'"$&%:/@?#\ `) {
		t.Error("the alphabet has characters that are mistaken or quoted")
	}
}

func TestAppendedNamesReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOf(rapid.StringN(1, -1, -1)).Draw(t, "names")
		added := make(map[string]string)
		for _, name := range names {
			added[name] = NewPassword()
		}
		if _, entries, err := extend("f", []byte("# x\nkept: 1"), added); err != nil || len(entries) < len(added) {
			t.Fatalf("%q: %v", names, err)
		}
	})
}
