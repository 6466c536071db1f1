package resource_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pigsty/internal/resource"
	"pigsty/internal/resource/simulate"
)

const unitPath = "/etc/systemd/system/app.service"

func withUnit(t *testing.T, text string) (*resource.Host, *simulate.Systemd) {
	t.Helper()
	h := newNode(t)
	f := &resource.File{Path: unitPath, Content: text}
	converge(t, h, f, resource.Create)
	return h, h.Systemd.(*simulate.Systemd)
}

const installable = "[Service]\nExecStart=/bin/app\n[Install]\nWantedBy=multi-user.target\n"

func expectSystemd(t *testing.T, s *simulate.Systemd, want ...string) {
	t.Helper()
	if got := s.Calls(); strings.Join(got, ", ") != strings.Join(want, ", ") {
		t.Errorf("systemd was asked %q, want %q", got, want)
	}
}

func TestUnitLifecycle(t *testing.T) {
	h, s := withUnit(t, installable)
	u := &resource.Unit{Unit: "app.service", RestartImpact: resource.Restart, StopEffect: "nothing answers"}
	c := converge(t, h, u, resource.Update)
	expectField(t, c, "boot", "disabled", "enabled")
	expectField(t, c, "state", "inactive", "running")
	u.Stopped = true
	if c := converge(t, h, u, resource.Update); c.Impact != resource.Restart || c.Effect != "nothing answers" {
		t.Errorf("impact of stopping: %s, %q", c.Impact, c.Effect)
	}
	u.Disabled = true
	expectField(t, converge(t, h, u, resource.Update), "boot", "enabled", "disabled")
	expectSystemd(t, s, "enable app.service", "start app.service", "stop app.service", "disable app.service")
}

func TestMaskedUnit(t *testing.T) {
	h := newNode(t)
	s := h.Systemd.(*simulate.Systemd)
	u := &resource.Unit{Unit: "cron.service", Masked: true}
	c := converge(t, h, u, resource.Update)
	expectField(t, c, "boot", "enabled", "masked")
	expectField(t, c, "state", "active", "stopped")
	expectSystemd(t, s, "stop cron.service", "mask cron.service")
	// What is masked before its package comes stays down when it comes.
	converge(t, h, &resource.Unit{Unit: "postgresql.service", Masked: true}, resource.Update)
	converge(t, h, &resource.Packages{ID: "pg", Packages: []string{"postgresql-common"}}, resource.Create)
	quiet(t, h, &resource.Unit{Unit: "postgresql.service", Masked: true})
	// And back.
	c = converge(t, h, &resource.Unit{Unit: "cron.service"}, resource.Update)
	expectField(t, c, "boot", "masked", "enabled")
}

func TestUnitWithoutInstallSection(t *testing.T) {
	h, s := withUnit(t, "[Service]\nExecStart=/bin/app\n")
	converge(t, h, &resource.Unit{Unit: "app.service"}, resource.Update)
	converge(t, h, &resource.Unit{Unit: "app.service", Stopped: true, Disabled: true}, resource.Update)
	expectSystemd(t, s, "start app.service", "stop app.service")
}

func TestUnitThatIsNotThere(t *testing.T) {
	h := newNode(t)
	u := &resource.Unit{Unit: "app.service"}
	if c := diff(t, h, u); c == nil || c.Action != resource.Create {
		t.Errorf("change %+v", c)
	}
	if err := u.Apply(context.Background(), h); err == nil || !strings.Contains(err.Error(), "the package or file that brings it is missing") {
		t.Errorf("error %v", err)
	}
	quiet(t, h, &resource.Unit{Unit: "app.service", Stopped: true})
	quiet(t, h, &resource.Unit{Unit: "app.service", Stopped: true, Disabled: true})
}

func TestTemplateInstance(t *testing.T) {
	h := newNode(t)
	put(t, h, "/etc/systemd/system/redis@.service", installable)
	converge(t, h, &resource.Unit{Unit: "redis@6379.service"}, resource.Update)
}

func TestUnitAnswersNotifications(t *testing.T) {
	h, s := withUnit(t, installable)
	u := &resource.Unit{Unit: "app.service", RestartImpact: resource.Switchover}
	converge(t, h, u, resource.Update)
	for _, n := range []resource.Notification{resource.ReloadOf("app.service"), resource.RestartOf("app.service"), resource.ReloadOf("app.service")} {
		if err := h.Mark(n); err != nil {
			t.Fatal(err)
		}
	}
	if c := converge(t, h, u, resource.Run); c.Impact != resource.Switchover {
		t.Errorf("impact %s", c.Impact)
	}
	if err := h.Mark(resource.ReloadOf("app.service")); err != nil {
		t.Fatal(err)
	}
	if c := converge(t, h, u, resource.Run); c.Impact != resource.Reload {
		t.Errorf("impact %s", c.Impact)
	}
	expectSystemd(t, s, "enable app.service", "start app.service", "restart app.service", "reload app.service")
}

// What an earlier run wrote before it was cut short, systemd may not have read.
func TestInheritedNotificationReadsUnits(t *testing.T) {
	h, _ := withUnit(t, installable)
	u := &resource.Unit{Unit: "app.service"}
	converge(t, h, u, resource.Update)
	if err := h.Mark(resource.RestartOf("app.service")); err != nil {
		t.Fatal(err)
	}
	h = simulate.NewHost(h.Root)
	converge(t, h, u, resource.Run)
	expectSystemd(t, h.Systemd.(*simulate.Systemd), "daemon-reload", "restart app.service")
}

func TestUnitOfOursOverAPackages(t *testing.T) {
	h := newNode(t)
	put(t, h, "/usr/lib/systemd/system/app.service", installable)
	u := &resource.Unit{Unit: "app.service"}
	converge(t, h, u, resource.Update)
	converge(t, h, &resource.File{Path: unitPath, Content: installable + "# ours\n"}, resource.Create)
	if err := h.Mark(resource.RestartOf("app.service")); err != nil {
		t.Fatal(err)
	}
	converge(t, h, u, resource.Run)
	expectSystemd(t, h.Systemd.(*simulate.Systemd), "enable app.service", "start app.service", "daemon-reload", "restart app.service")
}

// A drop-in that systemd does not know of, as Debian 12's may not, is read before the start.
func TestDropInIsRead(t *testing.T) {
	h, s := withUnit(t, installable)
	converge(t, h, &resource.File{Path: "/etc/systemd/system/other.service.d/limits.conf", Content: "[Service]\n"}, resource.Create)
	converge(t, h, &resource.Unit{Unit: "app.service"}, resource.Update)
	converge(t, h, &resource.File{Path: "/etc/systemd/system/app.service.d/limits.conf", Content: "[Service]\n"}, resource.Create)
	converge(t, h, &resource.Unit{Unit: "app.service", Stopped: true}, resource.Update)
	expectSystemd(t, s, "enable app.service", "start app.service", "daemon-reload", "stop app.service")
}

func TestNotificationOutlivesFailure(t *testing.T) {
	h, s := withUnit(t, installable)
	u := &resource.Unit{Unit: "app.service"}
	converge(t, h, u, resource.Update)
	if err := h.Mark(resource.RestartOf("app.service")); err != nil {
		t.Fatal(err)
	}
	s.Fail = func(string, string) error { return errors.New("no") }
	if err := u.Apply(context.Background(), h); err == nil {
		t.Fatal("a failed restart was no error")
	}
	s.Fail = nil
	// The next run is another process on the same node.
	converge(t, simulate.NewHost(h.Root), u, resource.Run)
}

func TestExpectedNotificationIsPlanned(t *testing.T) {
	h, _ := withUnit(t, installable)
	u := &resource.Unit{Unit: "app.service"}
	converge(t, h, u, resource.Update)
	h.Expect(resource.RestartOf("app.service"))
	if c := diff(t, h, u); c == nil || c.Action != resource.Run {
		t.Errorf("change %+v", c)
	}
	h.ForgetExpected()
	quiet(t, h, u)
}

func TestChangedUnitFileIsRead(t *testing.T) {
	h, s := withUnit(t, installable)
	u := &resource.Unit{Unit: "app.service"}
	converge(t, h, u, resource.Update)
	converge(t, h, &resource.File{Path: "/etc/systemd/system/app.service.d/limits.conf", Content: "[Service]\n"}, resource.Create)
	if err := h.Mark(resource.RestartOf("app.service")); err != nil {
		t.Fatal(err)
	}
	converge(t, h, u, resource.Run)
	expectSystemd(t, s, "enable app.service", "start app.service", "daemon-reload", "restart app.service")
}
