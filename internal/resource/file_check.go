package resource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Candidate stands in FileCheck.Argv for the path under which the new file waits.
const Candidate = "{candidate}"

// FileCheck is a command by which the program that a file is for says whether it can read it. It
// is run when the file is about to be replaced, never by Diff, and on a file that has its final
// content, owner and mode, in the same folder under another name. It must change nothing.
type FileCheck struct {
	Argv []string `json:"argv"` // with Candidate as one of its words
	// Env is what the program needs to find set, NAME=value. It stands in plans: where a
	// service has a secret there, give a stand-in.
	Env []string `json:"env,omitempty"`
}

// check keeps a file that its own program refuses from the place of one that works.
func (f *File) check(ctx context.Context, h *Host, candidate string) error {
	if f.Check == nil {
		return nil
	}
	argv := slices.Clone(f.Check.Argv)
	for i, word := range argv {
		argv[i] = strings.ReplaceAll(word, Candidate, candidate)
	}
	_, err := h.Exec.Run(ctx, Command{Argv: argv, Env: f.Check.Env})
	if err == nil {
		return nil
	}
	return fmt.Errorf("nothing is replaced: the new file is refused by %w", f.refusal(err, candidate))
}

// refusal is what the program said, of the file under its own name. Of a secret file, it may
// have repeated a line.
func (f *File) refusal(err error, candidate string) error {
	said, ok := errors.AsType[*CommandError](err)
	if !ok {
		return err
	}
	told := *said
	told.Output = strings.ReplaceAll(told.Output, candidate, f.Path)
	if f.Secret && told.Output != "" {
		told.Output = "what it said is not shown, as the file is secret"
	}
	return &told
}
