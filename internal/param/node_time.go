package param

// NodeTime is section NODE_TIME: the clock and what runs by it.
type NodeTime struct {
	NodeTimezone         string   `level:"cluster" default:"''" kind:"timezone" help:"time zone such as Europe/Berlin; empty leaves it as it is"`
	NodeNtpEnabled       bool     `level:"cluster" default:"true" help:"keep the clock by NTP"`
	NodeNtpService       string   `level:"cluster" default:"chrony" oneof:"ntp chrony" help:"NTP daemon; ntp is accepted and means chrony on Debian"`
	NodeNtpServers       []string `level:"cluster" default:"[pool pool.ntp.org iburst]" help:"NTP sources as lines of chrony.conf"`
	NodeCrontabOverwrite bool     `level:"cluster" default:"true" help:"replace /etc/crontab by node_crontab instead of adding to it"`
	NodeCrontab          []string `level:"cluster" default:"[]" kind:"cron" help:"lines of /etc/crontab: schedule, user, command"`
}
