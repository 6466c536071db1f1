package openpgp

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What a signature is of.
const (
	ofBinary              = 0x00
	ofText                = 0x01
	positiveCertification = 0x13
)

// signature is one to be made.
type signature struct {
	kind byte
	at   time.Time
	data []byte
	more []byte // further subpackets
}

// sign makes the signature packet.
func (k *Key) sign(s signature) []byte {
	hashed := slices.Concat(
		subpacket(subpacketCreated, binary.BigEndian.AppendUint32(nil, uint32(s.at.Unix()))),
		subpacket(subpacketFingerprint, append([]byte{4}, k.fingerprint()...)),
		s.more,
	)
	head := append([]byte{4, s.kind, algorithmEdDSA, algorithmSHA512}, binary.BigEndian.AppendUint16(nil, uint16(len(hashed)))...)
	head = append(head, hashed...)
	digest := digest(head, s.data)
	plain := subpacket(subpacketIssuer, k.fingerprint()[12:])
	body := append(head, binary.BigEndian.AppendUint16(nil, uint16(len(plain)))...)
	body = append(body, plain...)
	body = append(body, digest[:2]...)
	signed := ed25519.Sign(k.private, digest)
	return packet(tagSignature, slices.Concat(body, number(signed[:32]), number(signed[32:])))
}

// digest is what is signed: the data, then what the signature says of itself.
func digest(head, data []byte) []byte {
	trailer := binary.BigEndian.AppendUint32([]byte{4, 0xFF}, uint32(len(head)))
	all := slices.Concat(data, head, trailer)
	if head[3] == algorithmSHA256 {
		sum := sha256.Sum256(all)
		return sum[:]
	}
	sum := sha512.Sum512(all)
	return sum[:]
}

// Detached is a signature of the bytes as they are, as text; at is when it says that it was made.
func (k *Key) Detached(data []byte, at time.Time) string {
	return armor("SIGNATURE", k.sign(signature{kind: ofBinary, at: at, data: data}))
}

// ClearSigned is the text with its signature below it, as apt's InRelease is. Blanks at the ends of
// lines are not signed.
func (k *Key) ClearSigned(text string, at time.Time) string {
	var b strings.Builder
	b.WriteString("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n")
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r")
		if strings.HasPrefix(line, "-") {
			b.WriteString("- ")
		}
		b.WriteString(line + "\n")
	}
	b.WriteString(armor("SIGNATURE", k.sign(signature{kind: ofText, at: at, data: []byte(strings.Join(lines, "\r\n"))})))
	return b.String()
}

// ErrSignature is a signature that does not hold: what it is of has been changed, or somebody else
// has signed it.
var ErrSignature = errors.New("the signature does not hold")

// Verify checks a signature that Detached made.
func (p Public) Verify(data []byte, armored string) error {
	packets, err := unarmor("SIGNATURE", armored)
	if err != nil {
		return err
	}
	tag, body, _, err := nextPacket(packets)
	if err != nil {
		return err
	}
	if tag != tagSignature || len(body) < 6 || body[0] != 4 || body[1] != ofBinary || body[2] != algorithmEdDSA ||
		body[3] != algorithmSHA512 && body[3] != algorithmSHA256 {
		return fmt.Errorf("the signature is not one of a file by Ed25519: %w", errFormat)
	}
	end := 6 + int(binary.BigEndian.Uint16(body[4:6]))
	if len(body) < end+2 {
		return errFormat
	}
	rest := end + 2 + int(binary.BigEndian.Uint16(body[end:end+2])) + 2
	if len(body) < rest {
		return errFormat
	}
	r, after, err := readNumber(body[rest:])
	if err != nil {
		return err
	}
	s, _, err := readNumber(after)
	if err != nil || len(r) > 32 || len(s) > 32 {
		return errFormat
	}
	signed := make([]byte, 64)
	copy(signed[32-len(r):], r)
	copy(signed[64-len(s):], s)
	if !ed25519.Verify(p.key, digest(body[:end], data), signed) {
		return ErrSignature
	}
	return nil
}
