package server

import (
	"math"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]int{
		"17.11 (Debian 17.11-0+deb13u1)": 170011, "18beta1": 180000, "13.23": 130023, "9.6.24": 90624,
		"1.24.1/bouncer": 12401, "1.18.0/bouncer": 11800, "": 0, "strange": 0,
	} {
		if got := parseVersion(text); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		oid   uint32
		bytes []byte
		want  float64
	}{
		{pgtype.BoolOID, []byte{1}, 1},
		{pgtype.Int2OID, []byte{0xff, 0xfe}, -2},
		{pgtype.Int4OID, []byte{0xff, 0xff, 0xff, 0xff}, -1},
		{pgtype.OIDOID, []byte{0xff, 0xff, 0xff, 0xff}, 1<<32 - 1},
		{pgtype.Int8OID, []byte{0, 0, 0, 1, 0, 0, 0, 0}, 1 << 32},
		{oidLSN, []byte{0, 0, 0, 2, 0, 0, 0, 1}, 2<<32 + 1},
		{pgtype.Float4OID, []byte{0x3f, 0xc0, 0, 0}, 1.5},
		{pgtype.Float8OID, []byte{0x3f, 0xf8, 0, 0, 0, 0, 0, 0}, 1.5},
		{pgtype.TimestamptzOID, []byte{0, 0, 0, 0, 0, 0x0f, 0x42, 0x40}, 946684801},
		{pgtype.TimestamptzOID, []byte{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, math.Inf(1)},
		{pgtype.IntervalOID, []byte{0, 0, 0, 0, 0, 0x07, 0xa1, 0x20, 0, 0, 0, 1, 0, 0, 0, 1}, 0.5 + 31*86400},
	} {
		got, err := binaryDecoders[c.oid](c.bytes)
		if err != nil || got != c.want {
			t.Errorf("type %d: %v is %v, want %v (%v)", c.oid, c.bytes, got, c.want, err)
		}
		if _, err := binaryDecoders[c.oid](append(c.bytes, 0)); err == nil {
			t.Errorf("type %d: a value that is too long is taken", c.oid)
		}
	}
}

func TestParseText(t *testing.T) {
	for text, want := range map[string]float64{
		"12": 12, "1.5e3": 1500, "t": 1, "off": 0, "NaN": math.NaN(), "0/16B3748": 23803720, "1/0": 1 << 32,
		"2000-01-01 00:00:01+00": 946684801, "2000-01-01 00:00:01.5+00": 946684801.5, "2000-01-01 00:00:00 UTC": 946684800,
	} {
		got, err := parseText([]byte(text))
		if err != nil || got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%q is %v, want %v (%v)", text, got, want, err)
		}
	}
	if _, err := parseText([]byte("streaming")); err == nil {
		t.Error("a word is taken for a number")
	}
}

func TestScaleIsExact(t *testing.T) {
	for _, c := range []struct{ factor, v, want float64 }{
		{0, 3, 3}, {1e-3, 12345, 12.345}, {1e-6, 3, 0.000003}, {1000, 2, 2000}, {0.3, 10, 3}, {-1, 2, -2},
	} {
		if got := newScale(c.factor).apply(c.v); got != c.want {
			t.Errorf("%v × %v is %v, want %v", c.v, c.factor, got, c.want)
		}
	}
}

func TestRhythm(t *testing.T) {
	var r rhythm
	begin := time.Unix(1000, 0)
	at := func(seconds float64) time.Time { return begin.Add(time.Duration(seconds * float64(time.Second))) }
	r.heard("a", at(0))
	if next, _ := r.next(at(0)); !next.IsZero() {
		t.Error("one scrape is a rhythm")
	}
	for _, s := range []float64{10, 20.1, 30} {
		r.heard("a", at(s))
	}
	for _, s := range []float64{3, 13, 23, 33} {
		r.heard("b", at(s))
	}
	next, interval := r.next(at(33))
	if next != at(40) || interval != 10*time.Second {
		t.Errorf("next at %s, every %s", next.Sub(begin), interval)
	}
	if next, _ := r.next(at(41)); next != at(43) {
		t.Errorf("next at %s", next.Sub(begin))
	}
	if next, _ := r.next(at(60)); !next.IsZero() {
		t.Errorf("nobody comes any more, and next is at %s", next.Sub(begin))
	}
	for i := range 20 {
		r.heard(string(rune('c'+i)), at(60))
	}
	if len(r.askers) > maxAskers {
		t.Errorf("%d askers are remembered", len(r.askers))
	}
	r.heard("z", at(1000))
	if len(r.askers) != 1 {
		t.Errorf("%d askers are remembered who came long ago", len(r.askers))
	}
}
