package deb

import (
	"cmp"
	"strconv"
	"strings"
)

// Compare orders two versions as dpkg does: negative when a is older than b, 0 when they are the
// same release, positive when a is newer.
func Compare(a, b string) int {
	epochA, upstreamA, revisionA := split(a)
	epochB, upstreamB, revisionB := split(b)
	return cmp.Or(cmp.Compare(epochA, epochB), compareText(upstreamA, upstreamB), compareText(revisionA, revisionB))
}

// split takes a version apart: [epoch:]upstream[-revision]. A missing revision counts as 0.
func split(version string) (epoch int, upstream, revision string) {
	upstream = strings.TrimSpace(version)
	if head, rest, found := strings.Cut(upstream, ":"); found {
		// Text that is no number is not a version dpkg would take, and sorts as epoch 0.
		epoch, _ = strconv.Atoi(head)
		upstream = rest
	}
	if at := strings.LastIndexByte(upstream, '-'); at >= 0 {
		upstream, revision = upstream[:at], upstream[at+1:]
	}
	return epoch, upstream, revision
}

// compareText compares runs of other characters and runs of digits in turn, as dpkg's verrevcmp.
func compareText(a, b string) int {
	for a != "" || b != "" {
		for other(a) || other(b) {
			if c := cmp.Compare(order(a), order(b)); c != 0 {
				return c
			}
			a, b = a[1:], b[1:]
		}
		var digitsA, digitsB string
		digitsA, a = digits(a)
		digitsB, b = digits(b)
		// Of two numbers without leading zeros the longer one is the larger.
		if c := cmp.Or(cmp.Compare(len(digitsA), len(digitsB)), cmp.Compare(digitsA, digitsB)); c != 0 {
			return c
		}
	}
	return 0
}

// other tells whether the text goes on with something that is no digit.
func other(s string) bool { return s != "" && !isDigit(s[0]) }

// order is the weight of the next character: a tilde sorts before the end, letters before all
// other characters, and a digit as the end does.
func order(s string) int {
	switch {
	case s == "" || isDigit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case isLetter(s[0]):
		return int(s[0])
	}
	return int(s[0]) + 256
}

// digits cuts the number off that the text begins with, without leading zeros.
func digits(s string) (number, rest string) {
	end := 0
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	return strings.TrimLeft(s[:end], "0"), s[end:]
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
