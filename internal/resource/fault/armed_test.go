package fault

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/resource"
)

const armFreeze = "systemd-run --quiet --unit=pigsty-drill-freeze --description=End of the fault freeze of pigsty drill --on-active=40000ms " +
	"--timer-property=AccuracySec=50ms --property=Type=oneshot --property=Restart=on-failure --property=RestartSec=1 " +
	"--property=StartLimitIntervalSec=0 -- systemctl thaw patroni.service"

// The end is armed before anything breaks.
func TestTheEndIsArmedFirst(t *testing.T) {
	h, _, commands := newHost(t)
	s := &Standstill{Unit: "patroni.service", Lasts: 40 * time.Second}
	if err := s.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{armFreeze, "systemctl freeze patroni.service"}, commands.lines()); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}

func TestNothingBreaksUnlessItsEndIsArmed(t *testing.T) {
	h, _, commands := newHost(t)
	commands.fails = "systemd-run"
	says(t, (&Standstill{Unit: "patroni.service", Lasts: time.Minute}).Apply(t.Context(), h), "arm the end of freeze")
	if len(commands.run) != 1 {
		t.Errorf("ran %q", commands.lines())
	}
}

// What could not be broken as a whole is mended at once, and by the timer if that fails.
func TestHalfAFaultIsUndone(t *testing.T) {
	h, systemd, commands := newHost(t)
	commands.fails = "systemctl freeze"
	says(t, (&Standstill{Unit: "patroni.service", Lasts: time.Minute}).Apply(t.Context(), h), "systemctl freeze failed")
	if diff := cmp.Diff([]string{"start pigsty-drill-freeze.service", "stop pigsty-drill-freeze.timer"}, systemd.told); diff != "" {
		t.Errorf("systemd (-want +got):\n%s", diff)
	}
	systemd.broken = resource.ErrAbsent
	says(t, (&Standstill{Unit: "patroni.service", Lasts: time.Minute}).Apply(t.Context(), h), "what was begun ends in 1m0s")
}

func TestOneFaultAtATime(t *testing.T) {
	h, systemd, _ := newHost(t)
	idle := &Idle{Node: "10.10.10.11"}
	if change, err := idle.Diff(t.Context(), h); change != nil || err != nil {
		t.Errorf("%+v, %v", change, err)
	}
	systemd.running = []string{"pigsty-drill-freeze.timer", "pigsty-drill-full-disk.service"}
	_, err := idle.Diff(t.Context(), h)
	says(t, err, "freeze, full-disk")
	says(t, idle.Apply(t.Context(), h), "freeze, full-disk")

	end := &End{Node: "10.10.10.11"}
	change, err := end.Diff(t.Context(), h)
	if err != nil || len(change.Fields) != 2 || change.Fields[0].Name != "freeze" {
		t.Errorf("%+v, %v", change, err)
	}
	if err := end.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	want := []string{"start pigsty-drill-freeze.service", "stop pigsty-drill-freeze.timer", "stop pigsty-drill-full-disk.service"}
	if diff := cmp.Diff(want, systemd.told); diff != "" {
		t.Errorf("systemd (-want +got):\n%s", diff)
	}
	systemd.running = nil
	if change, err := end.Diff(t.Context(), h); change != nil || err != nil {
		t.Errorf("%+v, %v", change, err)
	}
}

func TestPowerIsNeverCutInAContainer(t *testing.T) {
	c := newCluster(t)
	h, _, commands := newHost(t)
	h.Container = true
	p := &PowerLoss{Leader: c.leader()}
	_, err := p.Diff(t.Context(), h)
	says(t, err, "container")
	says(t, p.Apply(t.Context(), h), "container")
	outside := &PowerLoss{Leader: c.leader(), Outside: true}
	if change, err := outside.Diff(t.Context(), h); err != nil || change.Impact != resource.DataLoss {
		t.Errorf("%+v, %v", change, err)
	}
	says(t, outside.Apply(t.Context(), h), "container")
	h.Container = false
	says(t, outside.Apply(t.Context(), h), "container")
	if len(commands.run) != 0 {
		t.Errorf("ran %q", commands.lines())
	}
	if err := p.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	line := strings.Join(commands.lines(), "\n")
	for _, want := range []string{"StandardOutput=file:/proc/sysrq-trigger", "StandardInputData=" + base64.StdEncoding.EncodeToString([]byte("b"))} {
		if !strings.Contains(line, want) {
			t.Errorf("%q lacks %q", line, want)
		}
	}
}

func TestHowLongAFaultMayLast(t *testing.T) {
	for _, f := range All() {
		if d, err := f.Duration(0); err != nil || d != f.Lasts {
			t.Errorf("%s: %s, %v", f.Name, d, err)
		}
		d, err := f.Duration(time.Minute)
		if f.Lasts == 0 {
			says(t, err, "over at once")
		} else if err != nil || d != time.Minute {
			t.Errorf("%s: %s, %v", f.Name, d, err)
		}
		if _, err := f.Duration(Longest + 1); err == nil {
			t.Errorf("%s may last for ever", f.Name)
		}
		if found, err := Find(f.Name); err != nil || found != f {
			t.Errorf("%+v, %v", found, err)
		}
	}
	_, err := Find("flood")
	says(t, err, `fault "flood" is not known: choose from switchover, kill-postgres`)
}
