package node

// shell sets what people find when they log in, and what their sessions may use.
func (b *builder) shell() {
	b.on("shell")
	b.file("/etc/profile.d/pigsty.sh", nil)
	b.file("/etc/security/limits.d/pigsty.conf", nil)
	b.on("")
}
