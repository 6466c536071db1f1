package resource_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

const grubFile = "/boot/grub/grub.cfg"

// booted is a node that GRUB boots, beside another system on its disk.
func booted(t *testing.T) *resource.Host {
	h := newNode(t)
	h.Container = false
	put(t, h, grubFile, "### BEGIN /etc/grub.d/10_linux ###\n\tlinux\t/boot/vmlinuz ro\n### END /etc/grub.d/10_linux ###\n"+
		"### BEGIN /etc/grub.d/30_os-prober ###\n\tlinux /vmlinuz ro\n### END /etc/grub.d/30_os-prober ###\n")
	put(t, h, "/proc/cmdline", "ro quiet\n")
	return h
}

func updates(h *resource.Host) int {
	return len(slices.DeleteFunc(h.Exec.(*simulate.Executor).Calls(), func(c string) bool { return c != "update-grub" }))
}

func TestCommandLine(t *testing.T) {
	h := booted(t)
	l := &resource.CommandLine{ID: "pigsty", Parameters: []string{"numa=off", "quiet"}}
	c := converge(t, h, l, resource.Create)
	expectField(t, c, "numa=off", "not in "+grubFile, "in it")
	if got := get(t, h, grubFile); !strings.Contains(got, "ro numa=off quiet") {
		t.Errorf("GRUB boots %q", got)
	}
	if notes := h.TakeNotes(); len(notes) != 1 || !strings.Contains(notes[0], "until the node is rebooted") {
		t.Errorf("notes %q", notes)
	}
	put(t, h, "/proc/cmdline", "ro numa=off quiet\n")
	quiet(t, h, l)
	if notes := h.TakeNotes(); notes != nil {
		t.Errorf("after the reboot: %q", notes)
	}
	// A run that was cut short after the file, or a configuration made by hand.
	put(t, h, grubFile, strings.Replace(get(t, h, grubFile), " numa=off", "", 1))
	converge(t, h, l, resource.Update)
	converge(t, h, &resource.CommandLine{ID: "pigsty", Absent: true}, resource.Delete)
	if got := get(t, h, grubFile); strings.Contains(got, "numa") {
		t.Errorf("taken back, GRUB boots %q", got)
	}
}

// Parameters that somebody else gave to the kernel stay, and taking ours back is not seen as
// done while GRUB still has them.
func TestCommandLineTakenBackAfterInterruption(t *testing.T) {
	h := booted(t)
	converge(t, h, &resource.CommandLine{ID: "pigsty", Parameters: []string{"numa=off"}}, resource.Create)
	h.Exec.(*simulate.Executor).Fail = func([]string) error { return errors.New("no space left on device") }
	gone := &resource.CommandLine{ID: "pigsty", Absent: true}
	if err := gone.Apply(t.Context(), h); err == nil || !strings.Contains(err.Error(), "make "+grubFile+" anew") {
		t.Errorf("error %v", err)
	}
	h.Exec.(*simulate.Executor).Fail = nil
	converge(t, h, gone, resource.Delete)
	quiet(t, h, gone)
}

func TestCommandLineWithoutGrub(t *testing.T) {
	h := newNode(t)
	l := &resource.CommandLine{ID: "pigsty", Parameters: []string{"numa=off"}}
	converge(t, h, l, resource.Create)
	if n := updates(h); n != 0 {
		t.Errorf("update-grub ran %d times", n)
	}
	if notes := h.TakeNotes(); len(notes) != 1 || !strings.Contains(notes[0], "not booted by GRUB") {
		t.Errorf("notes %q", notes)
	}
}
