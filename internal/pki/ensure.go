package pki

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"pigsty/internal/localfile"
)

// Method is the parameter ca_method: where the authority comes from.
type Method string

// The three methods.
const (
	MethodCreate   Method = "create"   // use the one that is there, make one when there is none
	MethodCopy     Method = "copy"     // use the one that somebody put there
	MethodRecreate Method = "recreate" // make a new one once, keep the old beside it
)

// Options say how to get an authority; empty file names mean the defaults.
type Options struct {
	Method   Method
	Subject  string
	CertFile string
	KeyFile  string
}

// Ensure gives the authority in a folder, by the given method, and tells whether it was made
// just now. MethodRecreate makes a new one when it is asked for the first time since another
// method was, so that a plan and the runs after it agree on the authority.
func Ensure(dir string, o Options) (a *Authority, created bool, err error) {
	certName, keyName := cmp.Or(o.CertFile, DefaultCertFile), cmp.Or(o.KeyFile, DefaultKeyFile)
	p := pathsIn(dir, certName, keyName)
	switch o.Method {
	case MethodCopy:
		err = checkCopied(p)
	case MethodCreate, MethodRecreate:
		created, err = makeOne(dir, p, o)
	default:
		err = fmt.Errorf("ca_method %q is none of create, copy, recreate", o.Method)
	}
	if err != nil {
		return nil, false, err
	}
	a, err = Open(dir, certName, keyName)
	return a, created && err == nil, err
}

func checkCopied(p paths) error {
	if exists(p.cert) && exists(p.key) {
		return nil
	}
	return fmt.Errorf("ca_method is copy, and there is no certificate authority to use: put its certificate at %s and its private key, PEM without a passphrase and mode 0600, at %s", p.cert, p.key)
}

// makeOne brings the two files into being unless they are there and may stay.
func makeOne(dir string, p paths, o Options) (created bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	unlock, err := localfile.Lock(filepath.Join(dir, ".ca.lock"))
	if err != nil {
		return false, err
	}
	defer unlock()
	if o.Method == MethodRecreate {
		return recreate(p, o.Subject)
	}
	if err := os.Remove(p.recreated()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	hasCert, hasKey := exists(p.cert), exists(p.key)
	switch {
	case hasCert && hasKey:
		return false, nil
	case hasCert:
		return false, fmt.Errorf("%s is there but its key %s is not: put the key back, or have a new authority made with ca_method: recreate", p.cert, p.key)
	}
	return true, generate(p, o.Subject)
}

// recreate makes a new authority unless the one that is there came about in the same way. The
// mark that tells so holds the certificate, since somebody may put another in its place.
func recreate(p paths, subject string) (created bool, err error) {
	if _, err := parseSubject(subject); err != nil {
		return false, err // before anything is set aside
	}
	mark, markErr := os.ReadFile(p.recreated())
	cert, certErr := os.ReadFile(p.cert)
	if markErr == nil && certErr == nil && bytes.Equal(mark, cert) {
		return false, nil
	}
	if err := setAside(p, time.Now()); err != nil {
		return false, err
	}
	if err := generate(p, subject); err != nil {
		return false, err
	}
	if cert, err = os.ReadFile(p.cert); err != nil {
		return false, err
	}
	return true, localfile.Write(p.recreated(), cert, 0o644)
}

// exists takes anything but a clear no for a yes: reading it will tell what is wrong.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// setAside renames an authority's files. The certificate goes first: whenever this is
// interrupted, what is left is a key without a certificate or nothing, never a pair that does
// not match.
func setAside(p paths, now time.Time) error {
	stamp := now.UTC().Format("20060102T150405Z")
	for n := 2; exists(p.cert+"."+stamp) || exists(p.key+"."+stamp); n++ {
		stamp = fmt.Sprintf("%s-%d", now.UTC().Format("20060102T150405Z"), n)
	}
	for _, path := range []string{p.cert, p.key} {
		err := os.Rename(path, path+"."+stamp)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("set the old certificate authority aside: %w", err)
		}
	}
	return nil
}
