package cli

import "testing"

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{"512M": 512 << 20, "2G": 2 << 30, "4096": 4096, "1T": 1 << 40} {
		var s size
		if err := s.Set(text); err != nil || int64(s) != want {
			t.Errorf("%s: %d, %v", text, s, err)
		}
		var again size
		if err := again.Set(s.String()); err != nil || again != s {
			t.Errorf("%s is written as %s", text, s.String())
		}
	}
	for _, text := range []string{"", "G", "-1G", "1GM", "1.5G", "1g", "0M"} {
		var s size
		if err := s.Set(text); err == nil {
			t.Errorf("%q is taken for %d", text, s)
		}
	}
}
