package resource

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const kernelModulesFile = "/etc/modules-load.d/pigsty.conf"

var (
	_ Resource = (*KernelModules)(nil)
	_          = Register(func() Resource { return &KernelModules{} })
)

// KernelModules are modules that the kernel has loaded, now and after a boot. A container
// cannot load them, and a kernel may have been built without: this is noted and only the file
// is kept.
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

// missing lists the modules to load. What cannot be had becomes a note: any in a container, and
// those that the running kernel was built without, which loading again and again does not bring.
func (k *KernelModules) missing(h *Host) ([]string, error) {
	release, err := readTrimmed(h, "/proc/sys/kernel/osrelease")
	if err != nil {
		return nil, err
	}
	tree := "/lib/modules/" + release
	loaded, err := h.moduleNames("/proc/modules", tree+"/modules.builtin")
	if err != nil {
		return nil, err
	}
	var missing, unknown []string
	for _, name := range k.Modules {
		if !loaded[moduleName(name)] {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	if h.Container {
		h.Note("kernel modules cannot be loaded from inside a container: %s", strings.Join(missing, ", "))
		return nil, nil
	}
	available, err := h.moduleNames(tree + "/modules.dep")
	if err != nil {
		return nil, err
	}
	missing = slices.DeleteFunc(missing, func(name string) bool {
		if available[moduleName(name)] {
			return false
		}
		unknown = append(unknown, name)
		return true
	})
	if len(unknown) > 0 {
		h.Note("kernel %s has no module %s: see node_kernel_modules", release, strings.Join(unknown, ", "))
	}
	return missing, nil
}

// moduleName is the name as the kernel lists it, where - and _ are the same.
func moduleName(name string) string { return strings.ReplaceAll(name, "-", "_") }

// moduleNames are the modules that the kernel's lists at the given paths name.
func (h *Host) moduleNames(lists ...string) (map[string]bool, error) {
	names := map[string]bool{}
	for _, list := range lists {
		f, err := os.Open(h.Path(list))
		if errors.Is(err, fs.ErrNotExist) {
			continue // a kernel without modules, or with nothing built in
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			// "name size …" in one list, "kernel/dir/name.ko" in another, and in the last
			// "kernel/dir/name.ko.xz: what it needs".
			word, _, _ := strings.Cut(lines.Text(), " ")
			name, _, _ := strings.Cut(filepath.Base(word), ".ko")
			names[moduleName(name)] = true
		}
		if err := lines.Err(); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// Apply writes the file and loads what is missing, each module by itself: one that is refused
// keeps no other from being loaded.
func (k *KernelModules) Apply(ctx context.Context, h *Host) error {
	if err := k.file().Apply(ctx, h); err != nil {
		return err
	}
	missing, err := k.missing(h)
	if err != nil {
		return err
	}
	var refused []error
	for _, name := range missing {
		if err := h.run(ctx, "modprobe", name); err != nil {
			refused = append(refused, fmt.Errorf("the kernel refuses module %s: %w", name, err))
		}
	}
	return errors.Join(refused...)
}
