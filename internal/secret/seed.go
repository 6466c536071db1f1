package secret

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
)

const seedSize = 32

// Seed is the secret that others are derived from. It prints as a mask.
type Seed []byte

// String hides the seed.
func (Seed) String() string { return "******" }

// MarshalText hides the seed in JSON and in logs.
func (Seed) MarshalText() ([]byte, error) { return []byte("******"), nil }

// Derive gives 32 bytes that belong to a purpose: always the same for the same seed and words,
// unrelated for any other, and telling nothing of the seed. They serve as the seed of a node's
// SSH key or, cut to 16, as the salt of a user's password.
func (s Seed) Derive(purpose ...string) []byte {
	// Each word with its length before it, so that no two lists of words come out the same.
	var info []byte
	for _, word := range purpose {
		info = binary.AppendUvarint(info, uint64(len(word)))
		info = append(info, word...)
	}
	out, err := hkdf.Key(sha256.New, s, nil, string(info), sha256.Size)
	if err != nil {
		panic(err) // only for a length beyond HKDF's limit
	}
	return out
}
