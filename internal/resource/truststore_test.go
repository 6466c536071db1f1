package resource_test

import (
	"context"
	"encoding/pem"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"pigsty/internal/resource"
)

// certificate is a PEM block; nothing here looks inside it.
func certificate(content string) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(content)}))
}

// store imitates update-ca-certificates: it links every local certificate and joins them all.
type store struct {
	h     *resource.Host
	calls []string
	fail  error
	hash  string // what openssl makes of the certificate's subject; it is not there when empty
}

func (s *store) Run(_ context.Context, c resource.Command) ([]byte, error) {
	s.calls = append(s.calls, strings.Join(c.Argv, " "))
	if c.Argv[0] == "openssl" && s.hash != "" {
		return []byte(s.hash + "\n"), nil
	}
	if s.fail != nil || c.Argv[0] == "openssl" {
		return nil, &resource.CommandError{Argv: c.Argv, Err: s.fail}
	}
	text, err := os.ReadFile(s.h.Path("/usr/local/share/ca-certificates/pigsty-ca.crt"))
	if err != nil {
		return nil, err
	}
	link := s.h.Path("/etc/ssl/certs/pigsty-ca.pem")
	if err := os.MkdirAll(s.h.Path("/etc/ssl/certs"), 0o755); err != nil {
		return nil, err
	}
	if err := os.Symlink("/usr/local/share/ca-certificates/pigsty-ca.crt", link); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	bundle := certificate("some other authority") + string(text)
	return nil, os.WriteFile(s.h.Path("/etc/ssl/certs/ca-certificates.crt"), []byte(bundle), 0o644)
}

func (s *store) expect(t *testing.T, calls ...string) {
	t.Helper()
	if !slices.Equal(s.calls, calls) {
		t.Errorf("commands %q, want %q", s.calls, calls)
	}
	s.calls = nil
}

func trustHost(t *testing.T) (*resource.Host, *store) {
	h := &resource.Host{Root: t.TempDir()}
	s := &store{h: h}
	h.Exec = s
	return h, s
}

func trust(t *testing.T, h *resource.Host, text string) *resource.Change {
	t.Helper()
	r := &resource.TrustStore{Certificate: "pigsty-ca", PEM: text}
	c := diff(t, h, r)
	if c == nil {
		return nil
	}
	if err := r.Apply(context.Background(), h); err != nil {
		t.Fatal(err)
	}
	if left := diff(t, h, r); left != nil {
		t.Errorf("still to change: %+v", left)
	}
	return c
}

func TestTrustStore(t *testing.T) {
	h, s := trustHost(t)
	c := trust(t, h, certificate("ours"))
	if c == nil || c.Action != resource.Create {
		t.Fatalf("change %+v", c)
	}
	expectField(t, c, "trusted", "no", "yes")
	s.expect(t, "update-ca-certificates")
	if c := trust(t, h, certificate("ours")); c != nil {
		t.Errorf("a second time: %+v", c)
	}
	s.expect(t)
}

func TestTrustStoreTakesANewAuthority(t *testing.T) {
	h, s := trustHost(t)
	trust(t, h, certificate("ours"))
	s.calls = nil
	if c := trust(t, h, certificate("our new one")); c == nil || c.Action != resource.Update {
		t.Errorf("change %+v", c)
	}
	s.expect(t, "update-ca-certificates --fresh")
}

// A run that was killed between the file and the store must be finished by the next one, and so
// must a store that somebody made without our file.
func TestTrustStoreIsCompleted(t *testing.T) {
	h, s := trustHost(t)
	put(t, h, "/usr/local/share/ca-certificates/pigsty-ca.crt", certificate("ours"))
	put(t, h, "/etc/ssl/certs/ca-certificates.crt", certificate("some other authority"))
	if trust(t, h, certificate("ours")) == nil {
		t.Error("nothing to do, with our certificate missing from the bundle")
	}
	s.calls = nil
	if err := os.Remove(h.Path("/etc/ssl/certs/pigsty-ca.pem")); err != nil {
		t.Fatal(err)
	}
	if trust(t, h, certificate("ours")) == nil {
		t.Error("nothing to do, with our certificate missing from the folder")
	}
	s.expect(t, askHash, "update-ca-certificates")
}

const askHash = "openssl x509 -subject_hash -noout -in /usr/local/share/ca-certificates/pigsty-ca.crt"

// An authority that is merely new is added to the store without making all of it anew.
func TestTrustStoreInserts(t *testing.T) {
	h, s := trustHost(t)
	s.hash = "785613a4"
	others := certificate("some other authority")
	put(t, h, "/etc/ssl/certs/ca-certificates.crt", others)
	if err := os.Symlink("Namesake.pem", h.Path("/etc/ssl/certs/785613a4.0")); err != nil {
		t.Fatal(err)
	}
	if trust(t, h, certificate("ours")) == nil {
		t.Error("nothing to do")
	}
	s.expect(t, askHash)
	bundle, err := os.ReadFile(h.Path("/etc/ssl/certs/ca-certificates.crt"))
	if want := others + certificate("ours"); err != nil || string(bundle) != want {
		t.Errorf("bundle %q, want %q: %v", bundle, want, err)
	}
	for link, want := range map[string]string{
		"785613a4.0":    "Namesake.pem",
		"785613a4.1":    "pigsty-ca.pem",
		"pigsty-ca.pem": "/usr/local/share/ca-certificates/pigsty-ca.crt",
	} {
		if target, err := os.Readlink(h.Path("/etc/ssl/certs/" + link)); err != nil || target != want {
			t.Errorf("%s leads to %q, want %q: %v", link, target, want, err)
		}
	}
	// As a run leaves it that was killed before the last link.
	if err := os.Remove(h.Path("/etc/ssl/certs/pigsty-ca.pem")); err != nil {
		t.Fatal(err)
	}
	trust(t, h, certificate("ours"))
	if again, err := os.ReadFile(h.Path("/etc/ssl/certs/ca-certificates.crt")); err != nil || string(again) != string(bundle) {
		t.Errorf("bundle %q, want %q: %v", again, bundle, err)
	}
}

// Who keeps a copy of the store has to be told, which update-ca-certificates does.
func TestTrustStoreWithHooks(t *testing.T) {
	h, s := trustHost(t)
	s.hash = "785613a4"
	put(t, h, "/etc/ssl/certs/ca-certificates.crt", certificate("some other authority"))
	put(t, h, "/etc/ca-certificates/update.d/jks-keystore", "#!/bin/sh\n")
	trust(t, h, certificate("ours"))
	s.expect(t, "update-ca-certificates")
}

func TestTrustStoreFails(t *testing.T) {
	h, s := trustHost(t)
	refused(t, h, &resource.TrustStore{Certificate: "pigsty-ca", PEM: "no certificate"}, "not in PEM form")
	s.fail = errors.New("exit status 1")
	err := (&resource.TrustStore{Certificate: "pigsty-ca", PEM: certificate("ours")}).Apply(context.Background(), h)
	if err == nil || !strings.Contains(err.Error(), "make pigsty-ca trusted") {
		t.Errorf("error %v", err)
	}
}
