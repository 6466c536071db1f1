package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestMainExitCodes(t *testing.T) {
	for line, want := range map[string]int{"--version": exitOK, "no-such-command": exitFailed, "plan --no-such-flag": exitFailed, "plan -i /nonexistent": exitFailed} {
		var out, errw bytes.Buffer
		if got := Main(strings.Fields(line), strings.NewReader(""), &out, &errw); got != want {
			t.Errorf("pigsty %s: exit code %d, want %d", line, got, want)
		}
		if told := strings.Contains(errw.String(), "pigsty: "); told != (want == exitFailed) {
			t.Errorf("pigsty %s says %q", line, errw.String())
		}
	}
}

func TestExitErrorKeepsItsCause(t *testing.T) {
	cause := errors.New("cause")
	if err := fmt.Errorf("w: %w", &exitError{code: exitPending, err: cause}); !errors.Is(err, cause) || err.Error() != "w: cause" {
		t.Errorf("%v", err)
	}
	if got := (&exitError{code: exitPending}).Error(); got != "exit code 2" {
		t.Errorf("%q", got)
	}
}
