package agent_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pigsty/internal/agent"
	"pigsty/internal/openpgp"
	"pigsty/internal/resource"
	"pigsty/internal/resource/repository"
	"pigsty/internal/resource/simulate"
)

// whileApplying runs do on the node in the middle of a batch of these steps, as a step could.
func whileApplying(t *testing.T, s *agent.Session, h *resource.Host, all []resource.Step, do func()) {
	t.Helper()
	h.Systemd.(*simulate.Systemd).Fail = func(string, string) error {
		do()
		return errors.New("enough")
	}
	apply(t, s, append(steps(&resource.Unit{Unit: "ssh.service", Stopped: true}), all...))
}

// A step reads what the controller has for it, from end to end, and nothing else.
func TestSupply(t *testing.T) {
	h := simulate.NewHost(t.TempDir())
	s := connect(t, h, nil)
	content := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	path := filepath.Join(t.TempDir(), "bundle")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	mine, other := file("/a", ""), file("/b", "")
	all := steps(mine, other)
	all[0].Supplies = map[string]resource.Supply{
		"whole": {Path: path, Size: int64(len(content))}, "part": {Path: path, Offset: 10, Size: 7}, "gone": {Path: path + "x", Size: 1},
	}
	read := func(r resource.Resource, name string) (string, error) {
		got, err := io.ReadAll(h.Supply(t.Context(), r, name))
		return string(got), err
	}
	whileApplying(t, s, h, all, func() {
		if got, err := read(mine, "whole"); err != nil || got != string(content) {
			t.Errorf("%d bytes of %d, %v", len(got), len(content), err)
		}
		if got, err := read(mine, "part"); err != nil || got != "abcdef0" {
			t.Errorf("a part: %q, %v", got, err)
		}
		for _, bad := range []struct {
			of   resource.Resource
			name string
			want string
		}{
			{mine, "/etc/passwd", "nothing that this node is to have"},
			{mine, path, "nothing that this node is to have"},
			{other, "whole", "nothing that this node is to have"},
			{mine, "gone", "no such file"},
		} {
			if got, err := read(bad.of, bad.name); err == nil || got != "" || !strings.Contains(err.Error(), bad.want) {
				t.Errorf("%s: %d bytes, %v", bad.name, len(got), err)
			}
		}
		if _, err := h.ReadSupply(t.Context(), mine, "part", 8); err == nil {
			t.Error("more than the part can be read")
		}
	})
	// Once the steps are done, nothing is there for anybody.
	whileApplying(t, s, h, steps(file("/c", "")), func() {
		if got, err := read(mine, "whole"); err == nil {
			t.Errorf("%d bytes of a run that is over", len(got))
		}
	})
}

// Indexes are signed for a step that publishes a repository, and for no other.
func TestSealing(t *testing.T) {
	h := simulate.NewHost(t.TempDir())
	s := connect(t, h, nil)
	seed := sha256.Sum256([]byte("x"))
	key := openpgp.NewKey(seed[:], "x")
	s.SealWith(key)
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	publishes, other := &repository.Unpacked{Path: "/www"}, file("/a", "")
	whileApplying(t, s, h, steps(other, publishes), func() {
		clear, detached, err := h.SignRelease(context.Background(), publishes, "Origin: x\n", at)
		if err != nil || clear != key.ClearSigned("Origin: x\n", at) || key.Verify([]byte("Origin: x\n"), detached) != nil {
			t.Errorf("%q, %q, %v", clear, detached, err)
		}
		if _, _, err := h.SignRelease(context.Background(), other, "Origin: x\n", at); err == nil || !strings.Contains(err.Error(), "no package repository") {
			t.Errorf("a file has an index signed: %v", err)
		}
	})
	whileApplying(t, s, h, steps(file("/b", "")), func() {
		if _, _, err := h.SignRelease(context.Background(), publishes, "Origin: x\n", at); err == nil {
			t.Error("an index is signed for a step that nobody lists")
		}
	})
}

// The controller reads a file of the node's, also one that is longer than a message.
func TestReadingFile(t *testing.T) {
	h := simulate.NewHost(t.TempDir())
	s := connect(t, h, nil)
	content := bytes.Repeat([]byte("fedcba9876543210"), 200_000)
	if err := os.WriteFile(h.Path("/big"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(s.File(t.Context(), "/big", int64(len(content))))
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes of %d, %v", len(got), len(content), err)
	}
	if _, err := io.ReadAll(s.File(t.Context(), "/big", int64(len(content))+1)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that is shorter than it was: %v", err)
	}
	if _, err := io.ReadAll(s.File(t.Context(), "/none", 1)); err == nil || !strings.Contains(err.Error(), "read /none on the node") {
		t.Errorf("a file that is not there: %v", err)
	}
}
