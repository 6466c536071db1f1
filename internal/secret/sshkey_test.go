package secret

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"pgregory.net/rapid"
)

func TestSSHKeyReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), ed25519.SeedSize, ed25519.SeedSize).Draw(t, "seed")
		comment := rapid.StringMatching(`([a-z@.-]+( [a-z]+)?)?`).Draw(t, "comment")
		private, line, err := SSHKey(seed, comment)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := ssh.ParseRawPrivateKey([]byte(private))
		if err != nil {
			t.Fatalf("private key: %v", err)
		}
		key, ok := raw.(*ed25519.PrivateKey)
		if !ok || !bytes.Equal(key.Seed(), seed) {
			t.Fatalf("read back as %T", raw)
		}
		public, readComment, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil || readComment != comment {
			t.Fatalf("authorized line: comment %q, %v", readComment, err)
		}
		want, err := ssh.NewPublicKey(key.Public())
		if err != nil || !bytes.Equal(public.Marshal(), want.Marshal()) {
			t.Fatalf("the two halves differ (%v)", err)
		}
		again, againLine, _ := SSHKey(seed, comment)
		if again != private || againLine != line {
			t.Fatal("the same seed gave another key")
		}
	})
}

func TestSSHKeyRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		size    int
		comment string
	}{
		"short seed":       {31, "a"},
		"long seed":        {33, "a"},
		"two-line comment": {32, "a\nssh-ed25519 AAAA"},
	} {
		if _, _, err := SSHKey(make([]byte, c.size), c.comment); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, line, err := SSHKey(make([]byte, 32), ""); err != nil || strings.HasSuffix(line, " ") {
		t.Errorf("without comment: %q, %v", line, err)
	}
}
