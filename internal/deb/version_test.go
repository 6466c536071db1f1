package deb_test

import (
	"os/exec"
	"testing"

	"pgregory.net/rapid"

	"pigsty/internal/deb"
)

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"1.0", "1.0", 0},
		{"1.0", "1.0-0", 0},
		{"1.0", "1.0-", 0},
		{"1.0-1", "1.0-2", -1},
		{"1.2", "1.10", -1},
		{"1.0~rc1", "1.0", -1},
		{"1.0~rc1", "1.0~~", 1},
		{"1.0a", "1.0+", -1},
		{"1:0.5", "2.0", 1},
		{"0:1", "1", 0},
		{"17.6-0+deb13u1", "17.6-0+deb13u2", -1},
		{"2.41-12+deb13u4", "2.41-12", 1},
		{"1.0-1-1", "1.0-1", 1},
		{"00012", "12", 0},
		{"1.0.", "1.0", 1},
	} {
		if got := sign(deb.Compare(test.a, test.b)); got != test.want {
			t.Errorf("Compare(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
		if got := sign(deb.Compare(test.b, test.a)); got != -test.want {
			t.Errorf("Compare(%q, %q) = %d, want %d", test.b, test.a, got, -test.want)
		}
	}
}

// version draws versions that are alike, as those of one package are.
var version = rapid.Custom(func(t *rapid.T) string {
	v := rapid.StringMatching(`[0-2]?[0-9]{1,2}([.+~a-c]{0,2}[0-9]{0,2}){0,3}`).Draw(t, "upstream")
	if rapid.Bool().Draw(t, "revised") {
		v += "-" + rapid.StringMatching(`[0-9]([+~.]?[a-c]{0,2}[0-9]{0,2}){0,2}`).Draw(t, "revision")
	}
	if rapid.IntRange(0, 4).Draw(t, "epoch") == 0 {
		v = rapid.StringMatching(`[0-2]`).Draw(t, "number") + ":" + v
	}
	return v
})

// dpkg itself says what the order is.
func TestCompareAsDpkg(t *testing.T) {
	dpkg := func(t *rapid.T, a, relation, b string) bool {
		err := exec.Command("dpkg", "--compare-versions", a, relation, b).Run()
		if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() != 1) {
			t.Fatalf("dpkg --compare-versions %s %s %s: %v", a, relation, b, err)
		}
		return err == nil
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := version.Draw(t, "a"), version.Draw(t, "b")
		want := 0
		if dpkg(t, a, "lt", b) {
			want = -1
		} else if dpkg(t, a, "gt", b) {
			want = 1
		}
		if got := sign(deb.Compare(a, b)); got != want {
			t.Fatalf("Compare(%q, %q) = %d, and dpkg says %d", a, b, got, want)
		}
	})
}

func TestCompareIsAnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := version.Draw(t, "a"), version.Draw(t, "b"), version.Draw(t, "c")
		if deb.Compare(a, b) <= 0 && deb.Compare(b, c) <= 0 && deb.Compare(a, c) > 0 {
			t.Fatalf("%q <= %q <= %q, and the first is after the last", a, b, c)
		}
	})
}

func FuzzCompare(f *testing.F) {
	f.Add("1:1.0~rc1-1", "1.0")
	f.Add("", "-")
	f.Fuzz(func(t *testing.T, a, b string) {
		if sign(deb.Compare(a, b)) != -sign(deb.Compare(b, a)) {
			t.Errorf("%q and %q have no order", a, b)
		}
		if deb.Compare(a, a) != 0 {
			t.Errorf("%q is not as old as itself", a)
		}
	})
}
