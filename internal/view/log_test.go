package view

import (
	"bytes"
	"os"
	"testing"

	"pigsty/internal/golden"
)

// However the log is cut into pieces, it reads the same; the first record has lost its beginning.
func TestLog(t *testing.T) {
	text, err := os.ReadFile("testdata/postgres.csv")
	if err != nil {
		t.Fatal(err)
	}
	for name, color := range map[string]bool{"log.txt": false, "log-color.txt": true} {
		var whole, pieces bytes.Buffer
		if _, err := NewLog(&whole, color).Write(text); err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, "testdata/"+name, whole.String())
		log := NewLog(&pieces, color)
		for i := range text {
			if _, err := log.Write(text[i : i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(whole.Bytes(), pieces.Bytes()) {
			t.Errorf("in pieces:\n%s", pieces.String())
		}
	}
}
