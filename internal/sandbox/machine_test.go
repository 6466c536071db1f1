package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// Device names have at most 15 characters and differ between all nodes of all sandboxes.
func TestDeviceNames(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"a", "main", "main-2", "t-sandbox", "a-very-long-sandbox-name-one", "a-very-long-sandbox-name-two"} {
		s := &Sandbox{cfg: Config{Name: name}}
		devices := map[string]string{"bridge": bridgeName(name)}
		for _, node := range []string{"meta", "node-1", "node-11", "node-99"} {
			devices[node] = newMachine(s, Node{Name: node}).link()
		}
		for what, device := range devices {
			if len(device) > 15 {
				t.Errorf("%s of %s: %s is too long", what, name, device)
			}
			if other := seen[device]; other != "" {
				t.Errorf("%s is both %s of %s and %s", device, what, name, other)
			}
			seen[device] = what + " of " + name
		}
	}
}

func TestShellQuote(t *testing.T) {
	words := []string{"plain", "", "a b", "it's", "$HOME", "`id`", "a\nb", "*", "ü", `back\slash`, "-x=/y,z:1@%+"}
	out, err := exec.Command("sh", "-c", "printf '%s\\000' "+quoteArgv(words)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); strings.Join(got, "|") != strings.Join(words, "|") {
		t.Errorf("a shell reads %q, want %q", got, words)
	}
}

func TestEnsureKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := ensureKey(path, "who"); err != nil {
		t.Fatal(err)
	}
	private, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile(path + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	key, comment, _, _, err := ssh.ParseAuthorizedKey(public)
	if err != nil || comment != "who" || string(key.Marshal()) != string(signer.PublicKey().Marshal()) {
		t.Errorf("public half %q: %v", public, err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode of the private key: %v, %v", st.Mode(), err)
	}
	if err := ensureKey(path, "who"); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != string(private) {
		t.Error("a key that is there was replaced")
	}
}

func TestMachineID(t *testing.T) {
	m := newMachine(&Sandbox{cfg: Config{Name: "main"}}, Node{Name: "meta"})
	if id := m.machineID("key"); len(id) != 32 || id == m.machineID("other key") {
		t.Errorf("machine-id %q", id)
	}
}

// Who waits for a lock gets it on the new file when the holder removed the old one.
func TestLockSurvivesRemoval(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir", "lock")
	unlock, err := lock(t.Context(), path, unix.LOCK_EX)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	go func() {
		second, err := lock(t.Context(), path, unix.LOCK_EX)
		if err == nil && !exists(path) {
			err = fmt.Errorf("the lock is held on a file that is gone")
		}
		if err == nil {
			second()
		}
		got <- err
	}()
	time.Sleep(30 * time.Millisecond)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func TestOpenUnknown(t *testing.T) {
	if _, err := Open("there-is-no-such-sandbox"); err == nil || !strings.Contains(err.Error(), "sandbox up --name") {
		t.Errorf("open of an unknown sandbox: %v", err)
	}
}
