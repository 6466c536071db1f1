package remote

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"runtime"
	"sync"
)

// Binary is the program that runs as the agent: this same one.
type Binary struct {
	data []byte
	hash func() string

	once   sync.Once
	gz     []byte
	gzFail error
}

// OwnBinary reads the running program. Its hash is worked out meanwhile.
func OwnBinary() (*Binary, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read this program, to place it on nodes: %w", err)
	}
	return newBinary(data), nil
}

func newBinary(data []byte) *Binary {
	hash := sync.OnceValue(func() string {
		sum := sha256.Sum256(data)
		return hex.EncodeToString(sum[:8])
	})
	go hash()
	return &Binary{data: data, hash: hash}
}

// Hash names the binary's content in 16 hexadecimal digits.
func (b *Binary) Hash() string { return b.hash() }

// packed is the binary compressed, once for all nodes.
func (b *Binary) packed() ([]byte, error) {
	b.once.Do(func() {
		var buf bytes.Buffer
		b.gzFail = pack(&buf, b.data)
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
