// Package secret keeps the secrets that an inventory leaves open: each is made once, written to
// a file beside the inventory, and from then on read like any other input. What nodes need
// besides is derived from a seed in the same file, so that compiling an inventory stays pure.
package secret

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pigsty/internal/localfile"
)

const (
	fileName = "secrets.yml"
	seedKey  = "seed"
)

// Store is the secrets file of one inventory.
type Store struct {
	inventory string // as the user named it, for the file's heading
	dir       string
	entries   map[string]entry
	seed      Seed
}

// Open finds the state folder of an inventory, makes it with its seed when there is none, and
// reads the secrets. The folder is .pigsty/<inventory's name without extension> beside the
// inventory; an inventory reached through a link is the one that the link points at.
func Open(inventoryPath string) (*Store, error) {
	real, err := filepath.EvalSymlinks(inventoryPath)
	if err != nil {
		return nil, err
	}
	if real, err = filepath.Abs(real); err != nil {
		return nil, err
	}
	base := filepath.Base(real)
	all := filepath.Join(filepath.Dir(real), ".pigsty")
	s := &Store{inventory: base, dir: filepath.Join(all, strings.TrimSuffix(base, filepath.Ext(base)))}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for the inventory's secrets: %w", err)
	}
	if err := keepOutOfGit(all); err != nil {
		return nil, err
	}
	if _, err := s.Ensure(nil); err != nil {
		return nil, err
	}
	return s, nil
}

// keepOutOfGit makes git pass over the state folders of all inventories beside each other. A
// file that is there already is somebody's choice.
func keepOutOfGit(dir string) error {
	path := filepath.Join(dir, ".gitignore")
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return localfile.Write(path, []byte("*\n"), 0o644)
}

// Dir is the state folder: it also holds the certificate authority and the journal.
func (s *Store) Dir() string { return s.dir }

// Values gives every secret by name, without the seed.
func (s *Store) Values() map[string]string {
	out := make(map[string]string, len(s.entries))
	for name, e := range s.entries {
		out[name] = e.value
	}
	return out
}

// Seed gives what per-node secrets are derived from.
func (s *Store) Seed() Seed { return slices.Clone(s.seed) }

// Ensure makes a password for each name that has no secret yet and tells which it made, sorted.
// Runs that do this at the same time agree on the passwords.
func (s *Store) Ensure(names []string) (generated []string, err error) {
	unlock, err := localfile.Lock(filepath.Join(s.dir, ".secrets.lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	path := filepath.Join(s.dir, fileName)
	text, err := s.read(path)
	if err != nil {
		return nil, err
	}
	entries, err := parse(path, text)
	if err != nil {
		return nil, err
	}
	added, err := missing(entries, names)
	if err != nil {
		return nil, err
	}
	if len(added) > 0 {
		if text, entries, err = extend(path, text, added); err != nil {
			return nil, err
		}
		if err := localfile.Write(path, text, 0o600); err != nil {
			return nil, err
		}
	}
	delete(added, seedKey)
	return slices.Sorted(maps.Keys(added)), s.take(path, entries)
}

// take makes the entries of the file the store's own.
func (s *Store) take(path string, entries map[string]entry) error {
	seed, err := decodeSeed(path, entries[seedKey])
	if err != nil {
		return err
	}
	delete(entries, seedKey)
	s.entries, s.seed = entries, seed
	return nil
}

func (s *Store) read(path string) ([]byte, error) {
	text, err := localfile.ReadPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s.heading(), nil
	}
	return text, err
}

func (s *Store) heading() []byte {
	return fmt.Appendf(nil, `# Secrets that pigsty made because %s does not give them.
# Keep this file, and keep it to yourself: with it goes the way into what was built.
`, s.inventory)
}

// missing makes the values that a file lacks: the seed, and a password for each name.
func missing(have map[string]entry, names []string) (map[string]string, error) {
	added := make(map[string]string)
	if _, ok := have[seedKey]; !ok {
		added[seedKey] = base64.StdEncoding.EncodeToString(newSeed())
	}
	for _, name := range names {
		if name == "" || name == seedKey {
			return nil, fmt.Errorf("%q cannot be the name of a secret", name)
		}
		if _, ok := have[name]; !ok && added[name] == "" {
			added[name] = NewPassword()
		}
	}
	return added, nil
}
