package cli

import (
	"fmt"
	"strconv"
	"strings"
)

// size is a flag's number of bytes, such as 512M or 2G; units are powers of 1024.
type size int64

// sizeUnits are the letters after a number, and the power of two that each stands for.
var sizeUnits = map[string]int{"": 0, "K": 10, "M": 20, "G": 30, "T": 40}

// Set reads the number and its unit.
func (s *size) Set(text string) error {
	digits := strings.TrimRight(text, "KMGT")
	n, err := strconv.ParseInt(digits, 10, 32)
	shift, known := sizeUnits[strings.TrimPrefix(text, digits)]
	if err != nil || !known || n <= 0 {
		return fmt.Errorf("%q is no size: write such as 512M or 2G", text)
	}
	*s = size(n << shift)
	return nil
}

// String writes the size as Set reads it.
func (s *size) String() string {
	if *s == 0 {
		return ""
	}
	for _, unit := range []string{"T", "G", "M", "K"} {
		if shift := sizeUnits[unit]; int64(*s)%(1<<shift) == 0 {
			return strconv.FormatInt(int64(*s)>>shift, 10) + unit
		}
	}
	return strconv.FormatInt(int64(*s), 10)
}

// Type is the word for it in help.
func (s *size) Type() string { return "size" }
