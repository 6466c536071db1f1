package remote

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
)

// Binary is the program that runs as the agent: this same one.
type Binary struct {
	path string
	hash string

	once   sync.Once
	gz     []byte
	gzFail error
}

// OwnBinary is the running program.
func OwnBinary() (*Binary, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return newBinary(path)
}

func newBinary(path string) (*Binary, error) {
	hash, err := identity(path)
	if err != nil {
		return nil, fmt.Errorf("read this program, to place it on nodes: %w", err)
	}
	return &Binary{path: path, hash: hash}, nil
}

// buildNote is the section in which Go's linker writes the build ID: a hash of all that went into
// the program and of what came out.
const buildNote = ".note.go.buildid"

// identity names a program's content in 16 hexadecimal digits. The build ID and the size do for one
// that has both, as reading 20 MB would take longer than many a plan.
func identity(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	if note := noteOf(f); note != nil {
		fmt.Fprintf(sum, "%d %s", info.Size(), note)
	} else if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// noteOf is the content of buildNote; nil where there is none, or nothing in it.
func noteOf(f *os.File) []byte {
	program, err := elf.NewFile(f)
	if err != nil {
		return nil
	}
	section := program.Section(buildNote)
	if section == nil {
		return nil
	}
	// A name and three numbers come before the ID.
	if note, err := section.Data(); err == nil && len(note) > 16 {
		return note
	}
	return nil
}

// Hash names the binary's content in 16 hexadecimal digits.
func (b *Binary) Hash() string { return b.hash }

// packed is the binary compressed, once for all nodes.
func (b *Binary) packed() ([]byte, error) {
	b.once.Do(func() {
		var data []byte
		if data, b.gzFail = os.ReadFile(b.path); b.gzFail != nil {
			return
		}
		var buf bytes.Buffer
		b.gzFail = pack(&buf, data)
		b.gz = buf.Bytes()
	})
	return b.gz, b.gzFail
}

// machines maps Go's architecture names to the ones uname gives.
var machines = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}

// fits refuses a node of another architecture, where this program could not run.
func (b *Binary) fits(machine string) error {
	if machines[runtime.GOARCH] == machine {
		return nil
	}
	return fmt.Errorf("the node is %s and this pigsty is built for %s: run one built for %s", machine, runtime.GOARCH, machine)
}
