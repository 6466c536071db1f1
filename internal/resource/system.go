package resource

import (
	"syscall"

	"pigsty/internal/fact"
)

// NewHost is the machine this process runs on. Nothing is connected or started until a resource
// needs it.
func NewHost() *Host {
	// The agent inherits the umask of whoever logged in; packages and folders must not.
	syscall.Umask(0o022)
	h := &Host{Container: fact.InContainer("")}
	h.Exec = &osExecutor{host: h}
	h.Systemd = &dbusSystemd{exec: h.Exec}
	return h
}
