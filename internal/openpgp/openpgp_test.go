package openpgp_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pigsty/internal/openpgp"
)

func key(name string) *openpgp.Key {
	seed := sha256.Sum256([]byte(name))
	return openpgp.NewKey(seed[:], name)
}

var at = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

const text = "Origin: pigsty\nSHA256:\n ab 3 main/binary-amd64/Packages\n- dashed\n\n trailing \t\nlast\n"

// checker is the program with which apt checks signatures on this machine: sqv since Debian 13,
// gpgv before.
func checker(t *testing.T, keyring, signature string, more ...string) *exec.Cmd {
	if path, err := exec.LookPath("sqv"); err == nil {
		return exec.Command(path, append([]string{"--keyring", keyring, signature}, more...)...)
	}
	path, err := exec.LookPath("gpgv")
	if err != nil {
		t.Fatal("neither sqv nor gpgv is here, one of which every Debian has")
	}
	// gpgv reads keyrings without armor only.
	armored, err := os.ReadFile(keyring)
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(armored), "\n\n")
	body, _, _ = strings.Cut(body, "\n=")
	plain, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(body, "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	write(t, keyring+".gpg", string(plain))
	return exec.Command(path, append([]string{"--keyring", keyring + ".gpg", signature}, more...)...)
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The system's own program accepts what is signed here, and refuses what was changed afterwards.
func TestSystemAccepts(t *testing.T) {
	dir := t.TempDir()
	k := key("pigsty")
	ring := write(t, filepath.Join(dir, "key.asc"), k.Armored())
	data := write(t, filepath.Join(dir, "Release"), text)
	signature := write(t, filepath.Join(dir, "Release.gpg"), k.Detached([]byte(text), at))
	if out, err := checker(t, ring, signature, data).CombinedOutput(); err != nil {
		t.Errorf("detached: %v\n%s", err, out)
	}
	write(t, data, text+"x")
	if out, err := checker(t, ring, signature, data).CombinedOutput(); err == nil {
		t.Errorf("a changed file is accepted\n%s", out)
	}
	if _, err := exec.LookPath("gpgv"); err != nil {
		return // sqv takes no text with its signature in one file here; apt splits it
	}
	clear := write(t, filepath.Join(dir, "InRelease"), k.ClearSigned(text, at))
	if out, err := checker(t, ring, clear).CombinedOutput(); err != nil {
		t.Errorf("clear: %v\n%s", err, out)
	}
	write(t, clear, strings.Replace(k.ClearSigned(text, at), "ab 3", "ab 4", 1))
	if out, err := checker(t, ring, clear).CombinedOutput(); err == nil {
		t.Errorf("a changed text is accepted\n%s", out)
	}
}

func TestSameSeedSameKey(t *testing.T) {
	one, two := key("a"), key("a")
	if one.Armored() != two.Armored() || one.Detached([]byte("x"), at) != two.Detached([]byte("x"), at) {
		t.Error("the same seed gives different keys or signatures")
	}
	if key("a").Fingerprint() == key("b").Fingerprint() {
		t.Error("different seeds give the same key")
	}
}

func TestVerify(t *testing.T) {
	public, err := openpgp.ParsePublic(key("a").Armored())
	if err != nil {
		t.Fatal(err)
	}
	if public.Fingerprint() != key("a").Fingerprint() || len(public.Fingerprint()) != 40 {
		t.Errorf("the fingerprint %s came back as %s", key("a").Fingerprint(), public.Fingerprint())
	}
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		signature := key("a").Detached(data, at)
		if err := public.Verify(data, signature); err != nil {
			t.Fatal(err)
		}
		if err := public.Verify(append(data, 0), signature); !errors.Is(err, openpgp.ErrSignature) {
			t.Fatalf("changed data: %v", err)
		}
		if err := public.Verify(data, key("b").Detached(data, at)); !errors.Is(err, openpgp.ErrSignature) {
			t.Fatalf("another key: %v", err)
		}
	})
}

func TestDamagedArmor(t *testing.T) {
	armored := key("a").Armored()
	for _, damaged := range []string{
		"", "-----BEGIN PGP PUBLIC KEY BLOCK-----", strings.Replace(armored, "m", "n", 1),
		strings.Replace(armored, "=", "", 1), armored[:len(armored)/2],
	} {
		if _, err := openpgp.ParsePublic(damaged); err == nil {
			t.Errorf("read as a key:\n%s", damaged)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(key("a").Armored(), key("a").Detached([]byte("x"), at))
	public := key("b").Public
	f.Fuzz(func(t *testing.T, armored, signature string) {
		if k, err := openpgp.ParsePublic(armored); err == nil && len(k.Fingerprint()) != 40 {
			t.Error("a key without fingerprint")
		}
		if public.Verify([]byte("not what was signed"), signature) == nil {
			t.Error("a signature of something else holds")
		}
	})
}
