package simulate

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

const (
	modulesFile = "/proc/modules"
	swapsFile   = "/proc/swaps"
)

// modprobe enters the modules into the kernel's list.
func (e *Executor) modprobe(args []string) error {
	words, _ := options(args)
	text, err := e.node.read(modulesFile)
	if err != nil {
		return err
	}
	for _, name := range words {
		text += name + " 16384 0 - Live 0x0\n"
	}
	return e.node.write(modulesFile, text)
}

// swapoff empties the kernel's list.
func (e *Executor) swapoff([]string) error { return e.node.write(swapsFile, furnished[swapsFile]) }

// ip finds no address to delete: simulated nodes have none.
func (e *Executor) ip([]string) error {
	return errors.New("RTNETLINK answers: Cannot assign requested address")
}

// updateGrub writes an entry for one kernel, with the parameters that files in grub.d add.
func (e *Executor) updateGrub([]string) error {
	files, err := filepath.Glob(e.node.path("/etc/default/grub.d/*.cfg"))
	if err != nil {
		return err
	}
	entry := "\tlinux\t/boot/vmlinuz-6.12.0-simulated root=/dev/vda1 ro"
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if _, added, found := strings.Cut(string(text), "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX"); found {
			added, _, _ = strings.Cut(added, "\"")
			entry += added
		}
	}
	return e.node.write("/boot/grub/grub.cfg", "### BEGIN /etc/grub.d/10_linux ###\n"+entry+"\n### END /etc/grub.d/10_linux ###\n")
}
