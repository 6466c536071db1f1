package resource

// Restarting is the drop-in by which systemd starts a service again however it ended, five seconds
// later and for as long as it takes, unless somebody stopped it. What packages have differs: nothing,
// or a restart after some signals alone, or none once a service failed five times in a row, which it
// does while a disk is full.
func Restarting(unit string) *File {
	return &File{Path: unitFolder + unit + ".d/pigsty-restart.conf", Content: `# Written by pigsty: change the inventory instead.
[Unit]
StartLimitIntervalSec=0

[Service]
Restart=always
RestartSec=5
`}
}
