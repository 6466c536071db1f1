package pki

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func mustEnsure(t *testing.T, dir string, method Method) (*Authority, bool) {
	t.Helper()
	a, created, err := Ensure(dir, Options{Method: method, Subject: "/O=pigsty/CN=root-ca"})
	if err != nil {
		t.Fatal(err)
	}
	return a, created
}

func TestCreateMakesARootOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	a, err := Create(dir, "/O=pigsty/CN=root-ca")
	if err != nil {
		t.Fatal(err)
	}
	c := a.cert
	if got := c.Subject.String(); got != "CN=root-ca,O=pigsty" {
		t.Errorf("subject %s", got)
	}
	if !c.IsCA || !c.MaxPathLenZero || c.KeyUsage&x509.KeyUsageCertSign == 0 {
		t.Errorf("not a root: CA %v, path %d, usage %b", c.IsCA, c.MaxPathLen, c.KeyUsage)
	}
	if end := time.Now().AddDate(authorityYears, 0, 0); c.NotAfter.Sub(end).Abs() > time.Minute {
		t.Errorf("ends %s", c.NotAfter)
	}
	if err := c.CheckSignatureFrom(c); err != nil {
		t.Error(err)
	}
	for name, mode := range map[string]os.FileMode{DefaultKeyFile: 0o600, DefaultCertFile: 0o644} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if onDisk, _ := os.ReadFile(filepath.Join(dir, DefaultCertFile)); string(onDisk) != a.CertPEM() {
		t.Error("CertPEM is not what the file holds")
	}
	if _, err := Create(dir, "/CN=other"); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a second root: %v", err)
	}
}

func TestEnsureUsesWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	first, created := mustEnsure(t, dir, MethodCreate)
	if !created {
		t.Error("the first call made nothing")
	}
	for _, method := range []Method{MethodCreate, MethodCopy} {
		again, created := mustEnsure(t, dir, method)
		if created || again.CertPEM() != first.CertPEM() {
			t.Errorf("%s: another authority (created %v)", method, created)
		}
	}
}

func TestRecreateKeepsTheOld(t *testing.T) {
	dir := t.TempDir()
	first, _ := mustEnsure(t, dir, MethodCreate)
	second, created := mustEnsure(t, dir, MethodRecreate)
	if !created || first.CertPEM() == second.CertPEM() {
		t.Error("no new authority")
	}
	certs, _ := filepath.Glob(filepath.Join(dir, "ca.crt.2*"))
	keys, _ := filepath.Glob(filepath.Join(dir, "ca.key.2*"))
	if len(certs) != 1 || len(keys) != 1 {
		t.Fatalf("kept %v and %v", certs, keys)
	}
	old, err := Open(dir, filepath.Base(certs[0]), filepath.Base(keys[0]))
	if err != nil || old.CertPEM() != first.CertPEM() {
		t.Errorf("the old pair does not open: %v", err)
	}
}

func TestRecreateActsOncePerAsking(t *testing.T) {
	dir := t.TempDir()
	made := 0
	for _, method := range []Method{
		MethodRecreate, MethodRecreate, // a plan and its apply: one
		MethodCreate,
		MethodRecreate, MethodRecreate, // asked for again: two
	} {
		if _, created := mustEnsure(t, dir, method); created {
			made++
		}
	}
	if made != 2 {
		t.Errorf("made %d authorities, want 2", made)
	}
	for _, name := range []string{DefaultCertFile, DefaultKeyFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, created := mustEnsure(t, dir, MethodRecreate); !created {
		t.Error("nothing was made where the authority is gone")
	}
	keys, _ := filepath.Glob(filepath.Join(dir, "ca.key.2*"))
	if len(keys) != 1 {
		t.Errorf("old keys: %v", keys)
	}
}

func TestRecreateChecksTheSubjectFirst(t *testing.T) {
	dir := t.TempDir()
	first, _ := mustEnsure(t, dir, MethodCreate)
	if _, _, err := Ensure(dir, Options{Method: MethodRecreate, Subject: "nonsense"}); err == nil {
		t.Fatal("made for a nonsense subject")
	}
	if again, created := mustEnsure(t, dir, MethodCreate); created || again.CertPEM() != first.CertPEM() {
		t.Error("the old authority is gone")
	}
}

func TestSetAsideKeepsEveryOld(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	for range 3 {
		write(t, filepath.Join(dir, DefaultCertFile), "x")
		if err := setAside(pathsIn(dir, DefaultCertFile, DefaultKeyFile), now); err != nil {
			t.Fatal(err)
		}
	}
	if old, _ := filepath.Glob(filepath.Join(dir, "ca.crt.*")); len(old) != 3 {
		t.Errorf("kept %v", old)
	}
}

func TestEnsureGoesOnFromALoneKey(t *testing.T) {
	dir := t.TempDir()
	first, _ := mustEnsure(t, dir, MethodCreate)
	if err := os.Remove(filepath.Join(dir, DefaultCertFile)); err != nil {
		t.Fatal(err)
	}
	again, created := mustEnsure(t, dir, MethodCreate)
	if !created || !samePublicKey(again.cert.PublicKey, first.cert.PublicKey) {
		t.Error("the key that was there is not used")
	}
}

func TestEnsureExplainsWhatIsMissing(t *testing.T) {
	empty, lone := t.TempDir(), t.TempDir()
	mustEnsure(t, lone, MethodCreate)
	if err := os.Remove(filepath.Join(lone, DefaultKeyFile)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dir  string
		o    Options
		want []string
	}{
		"nothing to copy":    {empty, Options{Method: MethodCopy}, []string{"ca_method is copy", filepath.Join(empty, "ca.crt"), filepath.Join(empty, "ca.key"), "0600"}},
		"other names":        {empty, Options{Method: MethodCopy, CertFile: "a.pem", KeyFile: "b.pem"}, []string{"a.pem", "b.pem"}},
		"key to copy gone":   {lone, Options{Method: MethodCopy}, []string{"ca_method is copy"}},
		"key gone":           {lone, Options{Method: MethodCreate, Subject: "/CN=x"}, []string{"ca.key", "put the key back"}},
		"unknown method":     {empty, Options{Method: "keep"}, []string{`"keep"`, "create, copy, recreate"}},
		"no subject":         {empty, Options{Method: MethodCreate}, []string{"ca_subject"}},
		"subject is no name": {empty, Options{Method: MethodCreate, Subject: "root-ca"}, []string{"ca_subject", "slash"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, created, err := Ensure(c.dir, c.o)
			if err == nil || created {
				t.Fatalf("created %v, %v", created, err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
	if entries, _ := filepath.Glob(filepath.Join(empty, "ca.*")); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestRunsAtTheSameTimeShareOneAuthority(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	var wg sync.WaitGroup
	made, seen := 0, make(map[string]bool)
	for range 6 {
		wg.Go(func() {
			a, created, err := Ensure(dir, Options{Method: MethodCreate, Subject: "/CN=root-ca"})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			if created {
				made++
			}
			seen[a.CertPEM()] = true
		})
	}
	wg.Wait()
	if made != 1 || len(seen) != 1 {
		t.Errorf("%d made, %d seen", made, len(seen))
	}
}
