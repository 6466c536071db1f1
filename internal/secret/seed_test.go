package secret

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Keys and salts on running nodes hang on these bytes: a change of Derive replaces them all.
func TestDeriveStaysWhatItIs(t *testing.T) {
	got := hex.EncodeToString(Seed(bytes.Repeat([]byte{7}, seedSize)).Derive("ssh", "10.10.10.10"))
	if want := "28179a70435e0493db9e75ad846ee9674306c5a30de230f44bc61485012d8ddc"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDeriveTellsPurposesApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := Seed(rapid.SliceOfN(rapid.Byte(), seedSize, seedSize).Draw(t, "seed"))
		words := rapid.SliceOfN(rapid.StringOf(rapid.RuneFrom([]rune("a\x00\x01/"))), 0, 4)
		a, b := words.Draw(t, "a"), words.Draw(t, "b")
		if same := bytes.Equal(seed.Derive(a...), seed.Derive(b...)); same != slices.Equal(a, b) {
			t.Fatalf("%q and %q: same is %v", a, b, same)
		}
	})
}

func TestSeedDoesNotPrint(t *testing.T) {
	seed := Seed("it must never be seen anywhere..")
	asJSON, err := json.Marshal(map[string]any{"seed": seed})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(seed), fmt.Sprintf("%v %s", seed, seed), string(asJSON)} {
		if strings.Contains(text, "seen") || strings.Contains(text, "aXQg") {
			t.Errorf("printed: %s", text)
		}
	}
}
