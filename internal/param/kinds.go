package param

import (
	"encoding/json"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adhocore/gronx"
	"github.com/jmespath/go-jmespath"
)

// kind is a form that text must have: want says which, ok tests it, pattern is the same for
// editors where a regular expression can say it.
type kind struct {
	want    string
	ok      func(string) bool
	pattern string
}

// matching makes a kind of a regular expression.
func matching(want, pattern string) kind {
	return kind{want: want, ok: regexp.MustCompile(pattern).MatchString, pattern: pattern}
}

// kinds are the forms that the tag `kind` names.
var kinds = map[string]kind{
	"path":      matching("an absolute path", `^[/~][^\x00-\x1f]*$`),
	"file":      matching("the name of a file without a directory", `^[^/\x00-\x1f]+$`),
	"name":      matching("a name of letters, digits, '-', '_' and '.'", `^[A-Za-z0-9_][A-Za-z0-9_.-]*$`),
	"user":      matching("a user name of small letters, digits, '-' and '_'", `^[a-z_][a-z0-9_-]{0,31}$`),
	"role":      matching("a role name of at most 63 characters", `^[^\x00-\x1f]{1,63}$`),
	"interface": matching("the name of a network interface", `^[^/\s]{1,15}$`),
	"timezone":  matching("a time zone such as Europe/Berlin", `^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$`),
	"size":      matching("a size such as 64MiB", `^[0-9]+(\.[0-9]+)? ?([kKMGT]i?)?[bB]?$`),
	"interval":  matching("a duration such as 30s, 5min or 24h", `^[0-9]+ ?(us|ms|s|min|m|h|d|w)?$`),
	"duration":  {want: "a duration such as 10s, 1h30m or 15d", ok: isDuration, pattern: duration.String()},
	"grant":     matching("a GRANT or REVOKE line", `^(?i:GRANT|REVOKE)\s+\S.*\s(TO|FROM|to|from)\s`),
	"pubkey":    matching("an SSH public key", `(^|\s)(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/]{16,}=*`),
	"port":      {want: "a port number, 1 to 65535", ok: isPort, pattern: `^[1-9][0-9]{0,4}$`},
	"ip":        {want: "an IP address", ok: isIP},
	"host":      {want: "an address or a host name", ok: isHost},
	"bind":      {want: "*, vip or an IP address", ok: isBind},
	"endpoint":  {want: "an address and a port, such as 127.0.0.1:9090", ok: isEndpoint},
	"listen":    {want: "addresses separated by commas", ok: isListen},
	"url":       {want: "a URL such as http://pigsty/pigsty.repo", ok: isURL},
	"urlquery":  {want: "parameters of a URL such as sslmode=disable&connect_timeout=3", ok: isURLQuery},
	"date":      {want: "a date, YYYY-MM-DD", ok: isDate, pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`},
	"hosts":     {want: "an address and the names it has", ok: isHostsLine},
	"cron":      {want: "a crontab line: five fields or @daily and the like, a user, a command", ok: isCron},
	"jmespath":  {want: "a JMESPath expression", ok: isJMESPath},
	"hbaline":   {want: "a line of pg_hba.conf: type, database, user, address unless local, method", ok: isHbaLine},
	"hbaaddr":   {want: "local, localhost, admin, infra, cluster, intra, world, all, an address or a network", ok: isHbaAddr},
}

// duration is how Prometheus and Loki write one; of units at least one is there. More than nine digits
// are a slip, and no number that whoever reads it can have.
var duration = regexp.MustCompile(`^([0-9]{1,9}y)?([0-9]{1,9}w)?([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?([0-9]{1,9}ms)?$`)

func isDuration(s string) bool { return s != "" && duration.MatchString(s) }

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 1 && n <= 65535
}

func isIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

var (
	dnsName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)
	digits  = regexp.MustCompile(`^[0-9.]+$`)
)

func isHost(s string) bool {
	return isIP(s) || dnsName.MatchString(s) && !digits.MatchString(s) && len(s) <= 253
}

func isBind(s string) bool { return s == "*" || s == "vip" || isIP(s) }

func isListen(s string) bool {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "*" && !isHost(part) {
			return false
		}
	}
	return true
}

func isEndpoint(s string) bool {
	host, port, err := net.SplitHostPort(s)
	return err == nil && isHost(host) && isPort(port)
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Scheme == "file")
}

func isURLQuery(s string) bool {
	_, err := url.ParseQuery(s)
	return err == nil
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func isHostsLine(s string) bool {
	f := strings.Fields(s)
	return len(f) > 1 && isIP(f[0])
}

// isCron checks a line of /etc/crontab, which names a user before the command.
func isCron(s string) bool {
	f := strings.Fields(s)
	schedule := 5
	if strings.HasPrefix(s, "@") {
		schedule = 1
	}
	if len(f) < schedule+2 {
		return false
	}
	expr := strings.Join(f[:schedule], " ")
	return expr == "@reboot" || gronx.IsValid(expr)
}

// jsonLiteral is a literal of JMESPath between backquotes.
var jsonLiteral = regexp.MustCompile("`[^`]*`")

// quoteLiterals turns literals such as `primary`, which are not the JSON that the language wants
// but which Ansible's implementation takes for text, into text.
func quoteLiterals(expr string) string {
	return jsonLiteral.ReplaceAllStringFunc(expr, func(s string) string {
		inner := strings.Trim(s, "`")
		if json.Valid([]byte(inner)) {
			return s
		}
		return "'" + strings.ReplaceAll(inner, "'", `\'`) + "'"
	})
}

func isJMESPath(s string) bool {
	_, err := jmespath.Compile(s)
	return err == nil
}

var hbaTypes = []string{"host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"}

func isHbaLine(s string) bool {
	f := strings.Fields(s)
	switch {
	case len(f) == 0 || strings.HasPrefix(f[0], "#"):
		return true
	case f[0] == "local" || f[0] == "include" || f[0] == "include_dir" || f[0] == "include_if_exists":
		return f[0] != "local" || len(f) >= 4
	}
	return slices.Contains(hbaTypes, f[0]) && len(f) >= 5
}

func isHbaAddr(s string) bool {
	switch s {
	case "local", "localhost", "admin", "infra", "cluster", "intra", "intranet", "world", "all":
		return true
	}
	_, err := netip.ParsePrefix(s)
	return err == nil || isHost(s)
}
