package resource_test

import (
	"testing"

	"pigsty/internal/resource"
)

// Whoever puts something there for a service has it reloaded when it runs; one that does not run reads
// everything when it starts.
func TestUnitReload(t *testing.T) {
	h, s := withUnit(t, installable)
	r := &resource.UnitReload{Unit: "app.service", Notice: "app.service.pg-test"}
	quiet(t, h, r)
	notify := func() {
		t.Helper()
		if err := h.Mark(resource.ReloadOf(r.Notice)); err != nil {
			t.Fatal(err)
		}
	}
	notify()
	converge(t, h, r, resource.Run)
	expectSystemd(t, s)
	converge(t, h, &resource.Unit{Unit: "app.service"}, resource.Update)
	notify()
	expectField(t, converge(t, h, r, resource.Run), "reload", "", "app.service")
	expectSystemd(t, s, "enable app.service", "start app.service", "reload app.service")
}
