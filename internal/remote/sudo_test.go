package remote

import (
	"io"
	"strings"
	"testing"
)

// ending is a script's input: what was written, and whether it was closed.
type ending struct {
	strings.Builder
	closed bool
}

func (e *ending) Close() error { e.closed = true; return nil }

// A question may come in any pieces, among whatever else sudo has to say.
func TestPrompterReadsAnyPieces(t *testing.T) {
	const said = "We trust you.\n" + sudoPrompt + "Sorry.\n" + sudoPrompt + "no password\n"
	for size := 1; size < len(said); size++ {
		answer := &ending{}
		p := &prompter{password: "p", answer: answer}
		for rest := said; rest != ""; {
			n := min(size, len(rest))
			if _, err := io.WriteString(p, rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if answer.String() != "p\n" || !answer.closed || !p.refused() || p.String() != "We trust you.; Sorry.; no password" {
			t.Errorf("pieces of %d: answered %q, closed %v, said %q", size, answer.String(), answer.closed, p.String())
		}
	}
}
