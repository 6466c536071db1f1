package secret

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

const sshMagic = "openssh-key-v1\x00"

// SSHKey makes the ed25519 key of a 32-byte seed: the private key as an OpenSSH file, and the
// line for authorized_keys, without a newline. The same seed and comment give the same bytes,
// which ssh.MarshalPrivateKey does not: it puts a random number into the file.
func SSHKey(seed []byte, comment string) (private, authorizedLine string, err error) {
	switch {
	case len(seed) != ed25519.SeedSize:
		return "", "", fmt.Errorf("the seed of an SSH key has %d bytes, not %d", ed25519.SeedSize, len(seed))
	case strings.ContainsAny(comment, "\r\n"):
		return "", "", errors.New("the comment of an SSH key has more than one line")
	}
	key := ed25519.NewKeyFromSeed(seed)
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return "", "", errors.New("an ed25519 key has no ed25519 public key")
	}
	blob := ssh.Marshal(struct {
		Type string
		Key  []byte
	}{ssh.KeyAlgoED25519, public})
	file := sshFile(key, public, blob, comment)
	line := ssh.KeyAlgoED25519 + " " + base64.StdEncoding.EncodeToString(blob)
	if comment != "" {
		line += " " + comment
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: file})), line, nil
}

// sshFile writes the format of openssh's PROTOCOL.key, without a passphrase.
func sshFile(key ed25519.PrivateKey, public ed25519.PublicKey, blob []byte, comment string) []byte {
	// Two equal numbers tell a reader that it decrypted the rest well; openssh draws them.
	sum := sha256.Sum256(append([]byte("pigsty ssh check "), key...))
	check := binary.BigEndian.Uint32(sum[:])
	section := ssh.Marshal(struct {
		Check1, Check2 uint32
		Type           string
		Public         []byte
		Private        []byte
		Comment        string
	}{check, check, ssh.KeyAlgoED25519, public, key, comment})
	for i := byte(1); len(section)%8 != 0; i++ {
		section = append(section, i)
	}
	return append([]byte(sshMagic), ssh.Marshal(struct {
		Cipher, KDF, KDFOptions string
		Keys                    uint32
		Public                  []byte
		Section                 []byte
	}{"none", "none", "", 1, blob, section})...)
}
