// Package controller runs the river: it opens a site, reaches its nodes, compiles what is
// wanted and hands it to the engine. Everything a command does with a deployment starts here.
package controller

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"pigsty/internal/diag"
	"pigsty/internal/inventory"
	"pigsty/internal/model"
	"pigsty/internal/openpgp"
	"pigsty/internal/param"
	"pigsty/internal/pki"
	"pigsty/internal/secret"
)

// Site is an inventory with what lies beside it: its generated secrets, its certificate
// authority and its journal.
type Site struct {
	Inventory  *inventory.Inventory
	Deployment *model.Deployment
	Authority  *pki.Authority
	Warnings   diag.List
	// Generated names the secrets that were made just now.
	Generated []string

	dir string
	// repositoryKey signs the indexes of the local package repository.
	repositoryKey *openpgp.Key
}

// Open reads an inventory and checks all of it; the error carries every problem at once (see
// diag.From). Secrets that nobody has set, and the certificate authority, are made on the first
// call and read on all later ones.
func Open(path string, extra []string) (*Site, error) {
	if err := checked(path, extra); err != nil {
		return nil, err
	}
	store, err := secret.Open(path)
	if err != nil {
		return nil, err
	}
	generated, err := store.Ensure(param.Secrets())
	if err != nil {
		return nil, err
	}
	inv, d, problems := Read(path, inventory.Options{Extra: extra, Generated: store.Values()})
	if err := problems.Err(); err != nil {
		return nil, err
	}
	s := &Site{Inventory: inv, Deployment: d, Warnings: problems.Warnings(), Generated: generated, dir: store.Dir()}
	if err := s.openAuthority(); err != nil {
		return nil, err
	}
	d.CA, d.Derive = s.Authority.CertPEM(), store.Seed().Derive
	s.repositoryKey = openpgp.NewKey(d.Derive("package repository"), "pigsty package repository")
	d.RepositoryKey = s.repositoryKey.Armored()
	d.AdminKeys, err = ownKeys()
	return s, err
}

// ownKeys are the public SSH keys of whoever runs this, sorted by file name; none is no error.
func ownKeys() ([]string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, nil // a service without a home has no keys either
	}
	files, err := filepath.Glob(filepath.Join(home, ".ssh", "id_*.pub"))
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read a public key for node_admin_pk_current: %w", err)
		}
		keys = append(keys, strings.TrimSpace(string(text)))
	}
	return keys, nil
}

// checked refuses a bad inventory before anything is written beside it.
func checked(path string, extra []string) error {
	_, _, problems := Read(path, inventory.Options{Extra: extra, Generated: placeholders()})
	return problems.Err()
}

// Read loads an inventory and the files that it names, and makes the model of it, with everything
// that is wrong. It writes nothing. The deployment is nil when the inventory alone is too broken to go on.
func Read(path string, o inventory.Options) (*inventory.Inventory, *model.Deployment, diag.List) {
	inv, problems := inventory.Load(path, o)
	problems.Add(param.Check(inv)...)
	if problems.HasErrors() {
		problems.Sort()
		return inv, nil, problems
	}
	d, more := model.Build(inv)
	problems.Add(more...)
	problems.Add(readFiles(path, d)...)
	problems.Sort()
	return inv, d, problems
}

func (s *Site) openAuthority() error {
	ca, problems := param.Decode[param.Ca](s.Inventory.Global())
	if err := problems.Err(); err != nil {
		return err
	}
	dir := s.dir
	if _, given := s.Inventory.Global()["ca_homedir"]; given && filepath.IsAbs(ca.CaHomedir) {
		dir = ca.CaHomedir
	}
	var err error
	s.Authority, _, err = pki.Ensure(dir, pki.Options{
		Method: pki.Method(ca.CaMethod), Subject: ca.CaSubject, CertFile: ca.CaCert, KeyFile: ca.CaKey,
	})
	return err
}
