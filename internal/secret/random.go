package secret

import (
	"crypto/rand"
	"strings"
)

const (
	lower  = "abcdefghijkmnopqrstuvwxyz" // no l
	upper  = "ABCDEFGHJKLMNPQRSTUVWXYZ"  // no I, no O
	digits = "23456789"                  // no 0, no 1

	// alphabet has nothing that must be quoted anywhere and no two characters that look alike.
	alphabet       = lower + upper + digits
	passwordLength = 24 // 140 bits
)

// NewPassword gives a random password. It starts with a letter, so that YAML cannot take it for
// a number, and has all three sorts of characters, which PostgreSQL's passwordcheck and the like
// ask for.
func NewPassword() string {
	for {
		p := randomText(passwordLength)
		if !strings.ContainsRune(digits, rune(p[0])) &&
			strings.ContainsAny(p, lower) && strings.ContainsAny(p, upper) && strings.ContainsAny(p, digits) {
			return p
		}
	}
}

// randomText gives n characters of the alphabet, each as likely as any other: bytes beyond the
// last whole multiple of its length are thrown away.
func randomText(n int) string {
	const limit = 256 - 256%len(alphabet)
	out := make([]byte, 0, n)
	var b [1]byte
	for len(out) < n {
		rand.Read(b[:]) // never fails: the runtime ends the process when there is no randomness
		if int(b[0]) < limit {
			out = append(out, alphabet[int(b[0])%len(alphabet)])
		}
	}
	return string(out)
}

func newSeed() Seed {
	seed := make(Seed, seedSize)
	rand.Read(seed)
	return seed
}
