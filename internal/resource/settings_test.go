package resource_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

// machine is a simulated node that owns its kernel.
func machine(t *testing.T) *resource.Host {
	h := newNode(t)
	h.Container = false
	return h
}

func expectNote(t *testing.T, h *resource.Host, text string) {
	t.Helper()
	if notes := h.TakeNotes(); len(notes) != 1 || !strings.Contains(notes[0], text) {
		t.Errorf("notes %q, want one with %q", notes, text)
	}
}

func TestHostname(t *testing.T) {
	h := newNode(t)
	n := &resource.Hostname{Hostname: "pg-test-1"}
	c := converge(t, h, n, resource.Update)
	expectField(t, c, "at boot", "simulated", "pg-test-1")
	put(t, h, "/proc/sys/kernel/hostname", "other\n")
	expectField(t, converge(t, h, n, resource.Update), "running", "other", "pg-test-1")
	if got := get(t, h, "/etc/hostname"); got != "pg-test-1\n" {
		t.Errorf("/etc/hostname %q", got)
	}
}

func TestTimezone(t *testing.T) {
	h := newNode(t)
	converge(t, h, &resource.Timezone{Zone: "Asia/Shanghai"}, resource.Update)
	expectField(t, converge(t, h, &resource.Timezone{Zone: "Europe/Berlin"}, resource.Update), "zone", "Asia/Shanghai", "Europe/Berlin")
	if target, err := os.Readlink(h.Path("/etc/localtime")); err != nil || target != "../usr/share/zoneinfo/Europe/Berlin" {
		t.Errorf("/etc/localtime → %q, %v", target, err)
	}
	refused(t, h, &resource.Timezone{Zone: "Asia/Shangai"}, `did you mean "Asia/Shanghai"?`)
	refused(t, h, &resource.Timezone{Zone: "Mars/Olympus"}, "no time zone")
	refused(t, h, &resource.Timezone{Zone: "Asia"}, "no time zone")
}

func TestTimezoneBeforeItsPackage(t *testing.T) {
	h := newNode(t)
	if err := os.RemoveAll(h.Path("/usr/share/zoneinfo")); err != nil {
		t.Fatal(err)
	}
	z := &resource.Timezone{Zone: "Asia/Shanghai"}
	if diff(t, h, z) == nil {
		t.Error("nothing planned")
	}
	if err := z.Apply(context.Background(), h); err == nil || !strings.Contains(err.Error(), "tzdata is missing") {
		t.Errorf("error %v", err)
	}
}

func TestSysctl(t *testing.T) {
	h := machine(t)
	put(t, h, "/proc/sys/vm/swappiness", "60\n")
	put(t, h, "/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n")
	put(t, h, "/proc/sys/net/ipv4/conf/eth0.5/rp_filter", "0\n")
	s := &resource.Sysctl{ID: "90-pigsty", Settings: map[string]string{
		"vm.swappiness": "10", "net.ipv4.ip_local_port_range": "32768 60999", "net/ipv4/conf/eth0.5/rp_filter": "1",
	}}
	c := converge(t, h, s, resource.Create)
	expectField(t, c, "vm.swappiness", "60", "10")
	if len(c.Fields) != 2 {
		t.Errorf("fields %+v", c.Fields)
	}
	want := "net.ipv4.ip_local_port_range = 32768 60999\nnet/ipv4/conf/eth0.5/rp_filter = 1\nvm.swappiness = 10\n"
	if got := get(t, h, "/etc/sysctl.d/90-pigsty.conf"); got != want {
		t.Errorf("file\n%s", got)
	}
	put(t, h, "/proc/sys/vm/swappiness", "60\n")
	converge(t, h, s, resource.Update)
	s.Settings = map[string]string{"net.bridge.unknown": "1"}
	h.TakeNotes()
	converge(t, h, s, resource.Update)
	expectNote(t, h, "no setting net.bridge.unknown")
}

func TestSysctlInContainer(t *testing.T) {
	h := newNode(t)
	put(t, h, "/proc/sys/vm/swappiness", "60\n")
	put(t, h, "/proc/sys/vm/overcommit_memory", "2\n")
	s := &resource.Sysctl{ID: "90-pigsty", Settings: map[string]string{"vm.swappiness": "10", "vm.overcommit_memory": "2", "vm.unknown": "1", "net.core.somaxconn": "1024"}}
	put(t, h, "/proc/sys/net/core/somaxconn", "4096\n")
	expectField(t, converge(t, h, s, resource.Create), "net.core.somaxconn", "4096", "1024")
	expectNote(t, h, "kernel settings cannot be changed from inside a container: 1 of 4 differ, first vm.swappiness")
	if got := get(t, h, "/proc/sys/vm/swappiness"); got != "60\n" {
		t.Errorf("the host's kernel was changed: %q", got)
	}
}

func TestKernelModules(t *testing.T) {
	h := machine(t)
	put(t, h, "/lib/modules/6.12.0-simulated/modules.builtin", "kernel/drivers/watchdog/softdog.ko\n")
	put(t, h, "/lib/modules/6.12.0-simulated/modules.dep",
		"kernel/net/ip_vs.ko.xz: kernel/net/nf_conntrack.ko.xz\nkernel/net/br_netfilter.ko.xz:\nkernel/net/nf_conntrack.ko.xz:\n")
	k := &resource.KernelModules{Modules: []string{"softdog", "ip_vs", "br-netfilter"}}
	converge(t, h, k, resource.Create)
	want := []string{"modprobe ip_vs", "modprobe br-netfilter"}
	if got := h.Exec.(*simulate.Executor).Calls(); !slices.Equal(got, want) {
		t.Errorf("commands %q, want %q", got, want)
	}
	put(t, h, "/proc/modules", "ip_vs 16384 0 - Live 0x0\n")
	expectField(t, converge(t, h, k, resource.Update), "br-netfilter", "not loaded", "loaded")
}

// One module that is refused keeps no other from being loaded, and is named.
func TestKernelModuleRefused(t *testing.T) {
	h := machine(t)
	put(t, h, "/lib/modules/6.12.0-simulated/modules.dep", "a/one.ko:\na/two.ko:\na/three.ko:\n")
	e := h.Exec.(*simulate.Executor)
	e.Fail = func(argv []string) error {
		if argv[1] == "two" {
			return &resource.CommandError{Argv: argv, Output: "Key was rejected by service", Err: errors.New("exit status 1")}
		}
		return nil
	}
	k := &resource.KernelModules{Modules: []string{"one", "two", "three"}}
	err := k.Apply(t.Context(), h)
	if err == nil || err.Error() != "the kernel refuses module two: modprobe: exit status 1: Key was rejected by service" {
		t.Errorf("error %v", err)
	}
	c := diff(t, h, k)
	if c == nil || len(c.Fields) != 1 || c.Fields[0].Name != "two" {
		t.Errorf("left to do: %+v, want two alone", c)
	}
}

// A module that the kernel was built without is told of, and is no reason to try for ever.
func TestKernelModuleThatIsNotThere(t *testing.T) {
	h := machine(t)
	put(t, h, "/lib/modules/6.12.0-simulated/modules.dep", "a/one.ko:\n")
	converge(t, h, &resource.KernelModules{Modules: []string{"softdog", "one"}}, resource.Create)
	expectNote(t, h, "kernel 6.12.0-simulated has no module softdog")
}

func TestKernelModulesInContainer(t *testing.T) {
	h := newNode(t)
	converge(t, h, &resource.KernelModules{Modules: []string{"ip_vs", "softdog"}}, resource.Create)
	expectNote(t, h, "from inside a container: ip_vs, softdog")
}

func TestTunedActive(t *testing.T) {
	h := machine(t)
	for _, profile := range []string{"/etc/tuned/profiles/oltp", "/etc/tuned/olap", "/usr/lib/tuned/crit"} {
		put(t, h, profile+"/tuned.conf", "[main]\n")
	}
	converge(t, h, &resource.TunedActive{Profile: "oltp"}, resource.Update)
	expectField(t, converge(t, h, &resource.TunedActive{Profile: "olap"}, resource.Update), "profile", "oltp", "olap")
	converge(t, h, &resource.TunedActive{Profile: "crit"}, resource.Update)
}

func TestTunedInContainer(t *testing.T) {
	h := newNode(t)
	oltp := &resource.TunedActive{Profile: "oltp"}
	if err := oltp.Apply(context.Background(), h); err == nil || !strings.Contains(err.Error(), "there is no tuned profile oltp") {
		t.Errorf("error %v", err)
	}
	put(t, h, "/etc/tuned/profiles/oltp/tuned.conf", "[main]\n")
	converge(t, h, oltp, resource.Update)
	expectNote(t, h, "tuned can change few kernel settings")
}

func TestSwap(t *testing.T) {
	h := machine(t)
	const before = "UUID=1 / ext4 defaults 0 1\n/swap.img none swap sw 0 0\n# /old none swap sw 0 0\n"
	put(t, h, "/etc/fstab", before)
	put(t, h, "/proc/swaps", "Filename Type Size Used Priority\n/swap.img file 4194300 0 -2\n")
	quiet(t, h, &resource.Swap{})
	c := converge(t, h, &resource.Swap{Disabled: true}, resource.Update)
	expectField(t, c, "/swap.img", "in use", "off")
	if got := get(t, h, "/etc/fstab"); got != strings.Replace(before, "/swap.img", "# /swap.img", 1) {
		t.Errorf("fstab\n%s", got)
	}
}

func TestSwapInContainer(t *testing.T) {
	h := newNode(t)
	put(t, h, "/proc/swaps", "Filename Type Size Used Priority\n/swap.img file 4194300 0 -2\n")
	quiet(t, h, &resource.Swap{Disabled: true})
	expectNote(t, h, "swap cannot be turned off from inside a container: /swap.img")
}
