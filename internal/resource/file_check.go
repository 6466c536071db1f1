package resource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Candidate stands in FileCheck.Argv for the path under which the new file waits.
const Candidate = "{candidate}"

// FileCheck is a command by which the program that a file is for says whether it can read it. It
// is run when the file is about to be replaced, never by Diff, and on a file that has its final
// content, owner and mode, in the same folder under another name. It must change nothing.
type FileCheck struct {
	Argv []string `json:"argv"` // with Candidate in one of its words
	// Tree is a folder around the file that the program reads as a whole. A copy of it, in which the
	// new file stands in the old one's place, is then what Candidate stands for.
	Tree string `json:"tree,omitempty"`
	// Env is what the program needs to find set, NAME=value. It stands in plans: where a
	// service has a secret there, give a stand-in.
	Env []string `json:"env,omitempty"`
}

// check keeps a file that its own program refuses from the place of one that works.
func (f *File) check(ctx context.Context, h *Host, candidate string) error {
	if f.Check == nil {
		return nil
	}
	original := f.Path
	if f.Check.Tree != "" {
		copied, err := f.copyTree(h, candidate)
		if err != nil {
			return fmt.Errorf("copy %s to check it: %w", f.Check.Tree, err)
		}
		defer os.RemoveAll(copied)
		candidate, original = copied, f.Check.Tree
	}
	argv := slices.Clone(f.Check.Argv)
	for i, word := range argv {
		argv[i] = strings.ReplaceAll(word, Candidate, candidate)
	}
	_, err := h.Exec.Run(ctx, Command{Argv: argv, Env: f.Check.Env})
	if err == nil {
		return nil
	}
	return fmt.Errorf("nothing is replaced: the new file is refused by %w", f.refusal(err, candidate, original))
}

// copyTree copies the check's folder with the candidate in the file's place. What may be read in the
// folder by some alone is readable for root alone in the copy.
func (f *File) copyTree(h *Host, candidate string) (string, error) {
	inside, err := filepath.Rel(f.Check.Tree, f.Path)
	if err != nil {
		return "", err
	}
	copied, err := os.MkdirTemp("", "pigsty-check-")
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(copied, os.DirFS(h.Path(f.Check.Tree))); err != nil {
		return copied, errors.Join(err, os.RemoveAll(copied))
	}
	return copied, os.Rename(filepath.Join(copied, filepath.Dir(inside), filepath.Base(candidate)), filepath.Join(copied, inside))
}

// refusal is what the program said, of what it read under its own name. Of a secret file, it may
// have repeated a line.
func (f *File) refusal(err error, candidate, original string) error {
	said, ok := errors.AsType[*CommandError](err)
	if !ok {
		return err
	}
	told := *said
	told.Output = strings.ReplaceAll(told.Output, candidate, original)
	if f.Secret && told.Output != "" {
		told.Output = "what it said is not shown, as the file is secret"
	}
	return &told
}
