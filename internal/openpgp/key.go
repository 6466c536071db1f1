// Package openpgp signs texts the way apt wants a repository's Release file signed, and checks such
// signatures: version 4 keys and signatures of RFC 4880 with Ed25519, which every gpgv and sqv since
// Debian 10 reads. It knows nothing else of OpenPGP.
package openpgp

import (
	"crypto/ed25519"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Key is a key that signs. It prints as its fingerprint.
type Key struct {
	Public
	private ed25519.PrivateKey
	userID  string
}

// Public is the half of a key that everybody may have.
type Public struct {
	key     ed25519.PublicKey
	created uint32 // seconds since 1970; part of what the fingerprint is made of
}

// created is when every key says that it was made: a key follows from its seed, so that the same
// seed gives the same key.
var created = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// NewKey is the key of a seed of 32 bytes. userID says whose it is.
func NewKey(seed []byte, userID string) *Key {
	private := ed25519.NewKeyFromSeed(seed)
	public := private.Public().(ed25519.PublicKey)
	return &Key{Public: Public{key: public, created: uint32(created.Unix())}, private: private, userID: userID}
}

const (
	tagSignature = 2
	tagPublicKey = 6
	tagUserID    = 13

	algorithmEdDSA  = 22
	algorithmSHA256 = 8
	algorithmSHA512 = 10
)

// curve is the identifier of Ed25519 with its length before it.
var curve = []byte{9, 0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x0F, 0x01}

// body is the public key packet without its header.
func (p Public) body() []byte {
	b := append([]byte{4}, binary.BigEndian.AppendUint32(nil, p.created)...)
	b = append(b, algorithmEdDSA)
	b = append(b, curve...)
	return append(b, number(append([]byte{0x40}, p.key...))...)
}

// framed is the key as it enters every hash that is about it.
func (p Public) framed() []byte {
	body := p.body()
	return append(binary.BigEndian.AppendUint16([]byte{0x99}, uint16(len(body))), body...)
}

// fingerprint names the key. It is SHA-1 by the standard's own definition; nothing is signed by it.
func (p Public) fingerprint() []byte {
	sum := sha1.Sum(p.framed())
	return sum[:]
}

// Fingerprint is the key's name in hexadecimal capitals, as gpg prints it.
func (p Public) Fingerprint() string { return strings.ToUpper(hex.EncodeToString(p.fingerprint())) }

func (p Public) String() string { return p.Fingerprint() }

// Armored is the public key as a text file, for Signed-By of apt's sources.
func (k *Key) Armored() string {
	id := packet(tagUserID, []byte(k.userID))
	certified := append(k.framed(), binary.BigEndian.AppendUint32([]byte{0xB4}, uint32(len(k.userID)))...)
	certified = append(certified, k.userID...)
	self := k.sign(signature{
		kind: positiveCertification, at: created, data: certified,
		more: slices.Concat(
			subpacket(subpacketKeyFlags, []byte{0x03}), // certifies and signs
			subpacket(subpacketHashes, []byte{algorithmSHA512, algorithmSHA256}),
		),
	})
	return armor("PUBLIC KEY BLOCK", slices.Concat(packet(tagPublicKey, k.body()), id, self))
}

// ParsePublic reads what Armored wrote. Whether its owner has signed the name that stands in it is
// not looked at: a key counts because of where it was found.
func ParsePublic(armored string) (Public, error) {
	data, err := unarmor("PUBLIC KEY BLOCK", armored)
	if err != nil {
		return Public{}, err
	}
	tag, body, _, err := nextPacket(data)
	if err != nil {
		return Public{}, err
	}
	prefix := append([]byte{algorithmEdDSA}, curve...)
	if tag != tagPublicKey || len(body) < 5+len(prefix) || body[0] != 4 || !slices.Equal(body[5:5+len(prefix)], prefix) {
		return Public{}, errors.New("the public key is not one of Ed25519")
	}
	point, _, err := readNumber(body[5+len(prefix):])
	if err != nil || len(point) != 1+ed25519.PublicKeySize || point[0] != 0x40 {
		return Public{}, fmt.Errorf("the public key has no point of Ed25519: %w", errors.Join(err, errFormat))
	}
	return Public{key: point[1:], created: binary.BigEndian.Uint32(body[1:5])}, nil
}
