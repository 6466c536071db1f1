package collector

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Facts are what decides which collectors run on a connection.
type Facts struct {
	Pgbouncer  bool
	Version    int  // server_version_num; pgBouncer's in the same way: 1.24.1 is 12401
	Recovery   bool // a replica
	Main       bool // the connection that speaks for the whole server
	Database   string
	User       string
	Schemas    []string
	Extensions map[string]string // schema by name
	Tags       []string          // of the exporter
}

// Applies tells whether a collector runs on a connection with these facts, and if not, why not.
func (c *Collector) Applies(f Facts) (bool, string) {
	if why := c.refusal(f); why != "" {
		return false, why
	}
	for _, tag := range c.Tags {
		if why := tagRefusal(tag, f); why != "" {
			return false, why
		}
	}
	return true, ""
}

func (c *Collector) refusal(f Facts) string {
	switch {
	case c.Skip:
		return "skipped"
	case c.Pgbouncer() && !f.Pgbouncer:
		return "is for pgBouncer"
	case !c.Pgbouncer() && f.Pgbouncer:
		return "is for PostgreSQL"
	case c.Cluster() && !f.Main:
		return "runs once for the server"
	case f.Version < c.MinVersion:
		return fmt.Sprintf("is for version %d and later", c.MinVersion)
	case c.MaxVersion > 0 && f.Version >= c.MaxVersion:
		return fmt.Sprintf("is for versions before %d", c.MaxVersion)
	}
	return ""
}

// tagRefusal says why a tag keeps a collector from running, or nothing.
func tagRefusal(tag string, f Facts) string {
	prefix, word, has := strings.Cut(tag, ":")
	if !has {
		return wordRefusal(tag, f)
	}
	switch prefix {
	case "dbname":
		return unless(f.Database == word, "is for database "+word)
	case "username":
		return unless(f.User == word, "is for user "+word)
	case "schema":
		return unless(slices.Contains(f.Schemas, word), "needs schema "+word)
	case "extension":
		_, installed := f.Extensions[word]
		return unless(installed, "needs extension "+word)
	}
	return unless(!slices.Contains(f.Tags, word), "is not for exporters with tag "+word)
}

func wordRefusal(tag string, f Facts) string {
	switch tag {
	case "cluster", "pgbouncer":
		return ""
	case "primary", "master":
		return unless(!f.Recovery, "is for a primary")
	case "replica", "standby":
		return unless(f.Recovery, "is for a replica")
	}
	return unless(slices.Contains(f.Tags, tag), "is for exporters with tag "+tag)
}

// schemaOf is how a query names the schema that an extension is in.
var schemaOf = regexp.MustCompile(`\$\{schema:([^}]+)\}`)

// SQL is the query for a connection with these facts: each ${schema:NAME} stands for the schema that
// extension NAME is installed in, quoted.
func (c *Collector) SQL(f Facts) string {
	return schemaOf.ReplaceAllStringFunc(c.Query, func(match string) string {
		name := schemaOf.FindStringSubmatch(match)[1]
		return `"` + strings.ReplaceAll(f.Extensions[name], `"`, `""`) + `"`
	})
}

func unless(ok bool, why string) string {
	if ok {
		return ""
	}
	return why
}
