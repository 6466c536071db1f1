package resource

import (
	"os"
	"syscall"

	"pigsty/internal/fact"
)

// NewHost is the machine this process runs on. Nothing is connected or started until a resource
// needs it. The process is prepared to act as root does on a console.
func NewHost() *Host {
	// The agent inherits the umask of whoever logged in; packages and folders must not.
	syscall.Umask(0o022)
	// Where the programs are that only root uses: a login of another user, made root by sudo,
	// may not have it. A value made of the present one cannot be refused.
	_ = os.Setenv("PATH", os.Getenv("PATH")+":/usr/local/sbin:/usr/sbin:/sbin")
	h := &Host{Container: fact.InContainer("")}
	h.Exec = &osExecutor{host: h}
	h.Systemd = &dbusSystemd{exec: h.Exec}
	return h
}
