package resource

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const kernelModulesFile = "/etc/modules-load.d/pigsty.conf"

var (
	_ Resource = (*KernelModules)(nil)
	_          = Register(func() Resource { return &KernelModules{} })
)

// KernelModules are modules that the kernel has loaded, now and after a boot. A container
// cannot load them: this is noted and only the file is kept.
type KernelModules struct {
	Modules []string `json:"modules"`
}

func (k *KernelModules) Kind() string { return "kernel-modules" }
func (k *KernelModules) Name() string { return kernelModulesFile }

func (k *KernelModules) file() *File {
	return &File{Path: kernelModulesFile, Content: strings.Join(k.Modules, "\n") + "\n"}
}

// Diff compares the file and what is loaded or built in.
func (k *KernelModules) Diff(ctx context.Context, h *Host) (*Change, error) {
	c, err := k.file().Diff(ctx, h)
	if err != nil {
		return nil, err
	}
	if c == nil {
		c = &Change{Action: Update}
	}
	missing, err := k.missing(h)
	if err != nil {
		return nil, err
	}
	for _, name := range missing {
		c.Add(name, "not loaded", "loaded")
	}
	return c.OrNil(), nil
}

// missing lists the modules to load. In a container they become a note.
func (k *KernelModules) missing(h *Host) ([]string, error) {
	loaded, err := h.kernelModules()
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, name := range k.Modules {
		if !loaded[moduleName(name)] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 && h.Container {
		h.Note("kernel modules cannot be loaded from inside a container: %s", strings.Join(missing, ", "))
		return nil, nil
	}
	return missing, nil
}

// moduleName is the name as the kernel lists it, where - and _ are the same.
func moduleName(name string) string { return strings.ReplaceAll(name, "-", "_") }

// kernelModules are the modules that are loaded or part of the kernel itself.
func (h *Host) kernelModules() (map[string]bool, error) {
	release, err := readTrimmed(h, "/proc/sys/kernel/osrelease")
	if err != nil {
		return nil, err
	}
	loaded := map[string]bool{}
	for _, list := range []string{"/proc/modules", "/lib/modules/" + release + "/modules.builtin"} {
		f, err := os.Open(h.Path(list))
		if errors.Is(err, fs.ErrNotExist) {
			continue // a kernel without modules, or with nothing built in
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			// "name size …" in one list, "kernel/dir/name.ko" in the other.
			word, _, _ := strings.Cut(lines.Text(), " ")
			loaded[moduleName(strings.TrimSuffix(filepath.Base(word), ".ko"))] = true
		}
		if err := lines.Err(); err != nil {
			return nil, err
		}
	}
	return loaded, nil
}

// Apply writes the file and loads what is missing.
func (k *KernelModules) Apply(ctx context.Context, h *Host) error {
	if err := k.file().Apply(ctx, h); err != nil {
		return err
	}
	missing, err := k.missing(h)
	if err != nil || len(missing) == 0 {
		return err
	}
	return h.run(ctx, append([]string{"modprobe", "--all"}, missing...)...)
}
