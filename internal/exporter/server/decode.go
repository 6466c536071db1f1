package server

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// Formats of a column in PostgreSQL's protocol.
const (
	textFormat   int16 = 0
	binaryFormat int16 = 1
)

// decoder reads one value.
type decoder func([]byte) (float64, error)

// postgresEpoch is what PostgreSQL counts times from, in seconds of ours.
var postgresEpoch = float64(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix())

// Types that pgx has no names for.
const (
	oidLSN  = 3220
	oidXID8 = 5069
)

// binaryDecoders are for the types that the server is asked to send as they are: it saves the
// server from printing and us from parsing. Times become seconds since 1970, intervals seconds.
var binaryDecoders = map[uint32]decoder{
	pgtype.BoolOID: func(b []byte) (float64, error) { return sized(b, 1, func() float64 { return float64(b[0]) }) },
	pgtype.Int2OID: func(b []byte) (float64, error) { return sized(b, 2, func() float64 { return float64(int16(be16(b))) }) },
	pgtype.Int4OID: func(b []byte) (float64, error) { return sized(b, 4, func() float64 { return float64(int32(be32(b))) }) },
	pgtype.Int8OID: func(b []byte) (float64, error) { return sized(b, 8, func() float64 { return float64(int64(be64(b))) }) },
	pgtype.OIDOID:  unsigned32,
	pgtype.XIDOID:  unsigned32,
	pgtype.CIDOID:  unsigned32,
	oidXID8:        unsigned64,
	oidLSN:         unsigned64,
	pgtype.Float4OID: func(b []byte) (float64, error) {
		return sized(b, 4, func() float64 { return float64(math.Float32frombits(be32(b))) })
	},
	pgtype.Float8OID: func(b []byte) (float64, error) {
		return sized(b, 8, func() float64 { return math.Float64frombits(be64(b)) })
	},
	pgtype.TimestampOID:   moment,
	pgtype.TimestamptzOID: moment,
	pgtype.IntervalOID:    interval,
}

var (
	be16 = binary.BigEndian.Uint16
	be32 = binary.BigEndian.Uint32
	be64 = binary.BigEndian.Uint64
)

func sized(b []byte, size int, value func() float64) (float64, error) {
	if len(b) != size {
		return 0, fmt.Errorf("the server sent %d bytes for a value of %d", len(b), size)
	}
	return value(), nil
}

func unsigned32(b []byte) (float64, error) {
	return sized(b, 4, func() float64 { return float64(be32(b)) })
}

func unsigned64(b []byte) (float64, error) {
	return sized(b, 8, func() float64 { return float64(be64(b)) })
}

func moment(b []byte) (float64, error) {
	return sized(b, 8, func() float64 {
		switch us := int64(be64(b)); us {
		case math.MaxInt64:
			return math.Inf(1)
		case math.MinInt64:
			return math.Inf(-1)
		default:
			return postgresEpoch + float64(us)/1e6
		}
	})
}

// interval counts a month as thirty days, as PostgreSQL does where it compares intervals.
func interval(b []byte) (float64, error) {
	return sized(b, 16, func() float64 {
		days := float64(int32(be32(b[8:]))) + 30*float64(int32(be32(b[12:])))
		return float64(int64(be64(b)))/1e6 + days*86400
	})
}

// parseText reads a value that was sent as text: a number, a boolean, or the time of day or date
// that PostgreSQL writes.
func parseText(b []byte) (float64, error) {
	text := strings.TrimSpace(string(b))
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		return v, nil
	}
	switch strings.ToLower(text) {
	case "t", "true", "on", "yes":
		return 1, nil
	case "f", "false", "off", "no":
		return 0, nil
	}
	if hi, lo, ok := strings.Cut(text, "/"); ok {
		h, err1 := strconv.ParseUint(hi, 16, 32)
		l, err2 := strconv.ParseUint(lo, 16, 32)
		if err1 == nil && err2 == nil {
			return float64(h<<32 | l), nil
		}
	}
	for _, layout := range []string{"2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 MST", "2006-01-02 15:04:05", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return float64(at.UnixNano()) / 1e9, nil
		}
	}
	return 0, fmt.Errorf("%q is not a number", text)
}
