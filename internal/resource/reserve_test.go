package resource_test

import (
	"os"
	"syscall"
	"testing"

	"pigsty/internal/resource"
)

func TestReserve(t *testing.T) {
	h := newNode(t)
	r := &resource.Reserve{Path: "/pg/dummy", Size: 1 << 20, Mode: 0o600}
	expectField(t, converge(t, h, r, resource.Create), "size", "", "1048576 bytes")
	info, err := os.Stat(h.Path(r.Path))
	if err != nil {
		t.Fatal(err)
	}
	if blocks := info.Sys().(*syscall.Stat_t).Blocks; blocks*512 < r.Size {
		t.Errorf("%d bytes are allocated", blocks*512)
	}
	r.Size = 2 << 20
	converge(t, h, r, resource.Update)
	r.Size = 1 << 19
	converge(t, h, r, resource.Update)
	r.Mode = 0o640
	expectField(t, converge(t, h, r, resource.Update), "mode", "0600", "0640")
}

func TestReserveSparesFullDisk(t *testing.T) {
	h := newNode(t)
	quiet(t, h, &resource.Reserve{Path: "/pg/dummy", Size: 1 << 55})
	expectNote(t, h, "/pg/dummy is not reserved")
}
