package postgres

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"pigsty/internal/resource"
)

// dialAs connects to a Unix socket as the operating system user with the given number.
//
// PostgreSQL's peer authentication asks the kernel who connected (SO_PEERCRED), and the kernel
// answers with the effective user id that the connecting thread had at that moment. The agent
// is root, which no sane pg_hba.conf lets in; so one thread becomes the user, connects, and
// becomes root again. The connection keeps the user for good.
func dialAs(ctx context.Context, uid int, path string) (net.Conn, error) {
	if uid == os.Geteuid() {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		back, err := becomeOnThread(uid)
		if err != nil {
			runtime.UnlockOSThread()
			done <- result{err: err}
			return
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
		// A thread that cannot return to root stays locked, and dies with this goroutine.
		if back() == nil {
			runtime.UnlockOSThread()
		}
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}

// becomeOnThread changes the effective user of the calling thread only, and returns the way
// back. It calls the kernel itself because Go's own Setresuid changes every thread. The real
// and saved ids stay root, which is what allows the return.
func becomeOnThread(uid int) (back func() error, err error) {
	set := func(uid int) error {
		keep := ^uintptr(0)
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, keep, uintptr(uid), keep); errno != 0 {
			return fmt.Errorf("become user %d: %w", uid, errno)
		}
		return nil
	}
	before := os.Geteuid()
	if err := set(uid); err != nil {
		return nil, err
	}
	return func() error { return set(before) }, nil
}

// dialer returns the function that connects to the server's socket as its user. In a Root that
// is not "/", where no users are, and in a process that is not root, it connects as the process.
func (c Conn) dialer(h *resource.Host) (func(ctx context.Context, network, addr string) (net.Conn, error), error) {
	uid := os.Geteuid()
	if h.Root == "" && uid == 0 {
		var err error
		if uid, err = h.UserID(c.user()); err != nil {
			return nil, err
		}
	}
	path := h.Path(c.socketPath())
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		if h.Dial != nil {
			return h.Dial(ctx, "unix", path)
		}
		return dialAs(ctx, uid, path)
	}, nil
}
