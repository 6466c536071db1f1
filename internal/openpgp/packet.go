package openpgp

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

var errFormat = errors.New("it is not in OpenPGP's format")

// packet puts a header of the new format before a body.
func packet(tag byte, body []byte) []byte {
	head := []byte{0xC0 | tag}
	switch n := len(body); {
	case n < 192:
		head = append(head, byte(n))
	case n < 8384:
		head = append(head, byte((n-192)>>8)+192, byte(n-192))
	default:
		head = binary.BigEndian.AppendUint32(append(head, 255), uint32(n))
	}
	return append(head, body...)
}

// nextPacket takes the first packet off data. Only headers of the new format are read, which is what
// this package writes.
func nextPacket(data []byte) (tag byte, body, rest []byte, err error) {
	if len(data) < 2 || data[0]&0xC0 != 0xC0 {
		return 0, nil, nil, errFormat
	}
	tag, data = data[0]&0x3F, data[1:]
	var size int
	switch first := int(data[0]); {
	case first < 192:
		size, data = first, data[1:]
	case first < 224 && len(data) >= 2:
		size, data = (first-192)<<8+int(data[1])+192, data[2:]
	case first == 255 && len(data) >= 5:
		size, data = int(binary.BigEndian.Uint32(data[1:5])), data[5:]
	default:
		return 0, nil, nil, errFormat
	}
	if size > len(data) {
		return 0, nil, nil, errFormat
	}
	return tag, data[:size], data[size:], nil
}

// number is a big-endian number with its length in bits before it.
func number(b []byte) []byte {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	size := 0
	if len(b) > 0 {
		size = (len(b)-1)*8 + bits.Len8(b[0])
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(size)), b...)
}

// readNumber takes a number off data.
func readNumber(data []byte) (n, rest []byte, err error) {
	if len(data) < 2 {
		return nil, nil, errFormat
	}
	size := (int(binary.BigEndian.Uint16(data)) + 7) / 8
	if data = data[2:]; len(data) < size {
		return nil, nil, errFormat
	}
	return data[:size], data[size:], nil
}

const (
	subpacketCreated     = 2
	subpacketIssuer      = 16
	subpacketHashes      = 21
	subpacketKeyFlags    = 27
	subpacketFingerprint = 33
)

// subpacket is one statement of a signature; all of ours are short.
func subpacket(kind byte, body []byte) []byte {
	return append([]byte{byte(len(body) + 1), kind}, body...)
}
