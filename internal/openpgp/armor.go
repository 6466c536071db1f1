package openpgp

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// lineLength is how many characters a line of armor has.
const lineLength = 64

// armor writes data as text between a header and a footer.
func armor(kind string, data []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-----BEGIN PGP %s-----\n\n", kind)
	text := base64.StdEncoding.EncodeToString(data)
	for len(text) > lineLength {
		b.WriteString(text[:lineLength] + "\n")
		text = text[lineLength:]
	}
	sum := checksum(data)
	fmt.Fprintf(&b, "%s\n=%s\n-----END PGP %s-----\n", text,
		base64.StdEncoding.EncodeToString([]byte{byte(sum >> 16), byte(sum >> 8), byte(sum)}), kind)
	return b.String()
}

// unarmor reads what armor wrote.
func unarmor(kind, text string) ([]byte, error) {
	_, rest, begins := strings.Cut(text, "-----BEGIN PGP "+kind+"-----\n")
	inside, _, ends := strings.Cut(rest, "-----END PGP "+kind+"-----")
	_, lines, separated := strings.Cut("\n"+inside, "\n\n")
	if !begins || !ends || !separated {
		return nil, fmt.Errorf("there is no PGP %s in the text: %w", kind, errFormat)
	}
	lines, sum, checked := strings.Cut(lines, "\n=")
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(lines), ""))
	if err != nil {
		return nil, fmt.Errorf("read PGP %s: %w", kind, err)
	}
	if got := checksum(data); checked {
		want, err := base64.StdEncoding.DecodeString(strings.TrimSpace(sum))
		if err != nil || len(want) != 3 || got != uint32(want[0])<<16|uint32(want[1])<<8|uint32(want[2]) {
			return nil, fmt.Errorf("the checksum of PGP %s does not hold: the text is damaged", kind)
		}
	}
	return data, nil
}

// checksum is the CRC-24 of RFC 4880, section 6.1.
func checksum(data []byte) uint32 {
	crc := uint32(0xB704CE)
	for _, b := range data {
		crc ^= uint32(b) << 16
		for range 8 {
			crc <<= 1
			if crc&0x1000000 != 0 {
				crc ^= 0x1864CFB
			}
		}
	}
	return crc & 0xFFFFFF
}
