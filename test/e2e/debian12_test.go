//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"pigsty/internal/sandbox"
)

// TestDebian12 deploys the platform, with what watches it, on the release before: from a local repository
// that is built there, of its own PostgreSQL and its own versions of everything else.
func TestDebian12(t *testing.T) {
	t.Parallel() // much of it is waiting
	a := newAlarms(t, "t-debian12", "10.10.90.0/24", quickly, func(c *sandbox.Config) { c.Release = "bookworm" })
	t.Run("healthy", func(t *testing.T) { a.in(t).healthyFor(30 * time.Second) })
	t.Run("logs", func(t *testing.T) {
		i := a.in(t)
		for _, from := range []string{
			`{job="pgsql",src="postgres"}`, `{job="pgsql",src="patroni"}`, `{job="pgsql",src="pgbouncer"}`, `{job="pgsql",src="haproxy"}`,
			`{job="infra",src="etcd"}`, `{job="infra",src="nginx"}`, `{job="nodes",src="syslog"}`, `{job="nodes",src="journal"}`,
		} {
			i.settles(from, func() (bool, string) {
				found, err := i.query("https://l.pigsty", "/loki/api/v1/query_range", from)
				return err == nil && len(found) > 0, fmt.Sprint(err)
			})
		}
	})
	t.Run("certificate lost", func(t *testing.T) {
		i := a.in(t)
		onNode(t, i.nodes, "meta", "sh", "-c", "rm /etc/pigsty/infra/nginx-exporter.*")
		i.apply()
		i.settles("the exporter of nginx, which reads its certificate once, answers", func() (bool, string) {
			up, err := i.query("https://p.pigsty", "/api/v1/query", `up{job="infra",type="nginx"} == 1`)
			return err == nil && len(up) == 1, fmt.Sprint(up, err)
		})
		i.planIsEmpty()
	})
}
