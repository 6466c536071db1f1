package server

import (
	"bytes"
	"strings"
	"testing"

	"pigsty/internal/golden"
)

// explained has a collector for everything that the page of explanations can say.
const explained = `
pg_live:
  desc: What is asked at every scrape
  query: |
    SELECT 1 AS n,
      2 AS total
  fatal: true
  tags: [ cluster ]
  metrics: [ { n: { usage: GAUGE, description: a number } }, { total: { usage: COUNTER, rename: sum, description: a sum } } ]
pg_query:
  desc: Queries
  query: SELECT query, calls, texts FROM ${schema:pg_stat_statements}.pg_stat_statements
  predicate_queries: [ { name: there are some, predicate_query: SELECT true } ]
  ttl: 10
  timeout: 2
  min_version: 130000
  max_version: 190000
  budget: 1000
  tags: [ cluster, "extension:pg_stat_statements" ]
  top: { keep: 20, by: [ calls ] }
  metrics:
    - query: { usage: LABEL, description: number of the query }
    - calls: { usage: COUNTER, description: calls }
    - texts: { usage: DISCARD }
pg_table:
  desc: Tables
  query: SELECT relname, relkind, 1 AS n FROM pg_class
  timeout: -1
  metrics: [ { relname: { usage: LABEL, description: name } }, { relkind: { usage: LABEL, rename: kind, description: kind } }, { n: { usage: GAUGE, description: one } } ]
pg_wait:
  desc: Waits
  query: SELECT wait FROM waits
  metrics: [ { wait: { usage: HISTOGRAM, bucket: [ 1, 10 ], description: seconds } } ]
pg_replica: { query: SELECT 1, tags: [ cluster, replica ], metrics: [ { n: { usage: GAUGE } } ] }
pg_old: { query: SELECT 1, max_version: 130000, metrics: [ { n: { usage: GAUGE } } ] }
pg_new: { query: SELECT 1, min_version: 990000, metrics: [ { n: { usage: GAUGE } } ] }
pg_skipped: { query: SELECT 1, skip: true, metrics: [ { n: { usage: GAUGE } } ] }
pg_shop: { query: SELECT 1, tags: [ "dbname:shop" ], metrics: [ { n: { usage: GAUGE } } ] }
pg_schema: { query: SELECT 1, tags: [ "schema:nowhere" ], metrics: [ { n: { usage: GAUGE } } ] }
pg_special: { query: SELECT 1, tags: [ special ], metrics: [ { n: { usage: GAUGE } } ] }
pgbouncer_list: { query: SHOW LISTS, tags: [ pgbouncer ], metrics: [ { n: { usage: GAUGE } } ] }
`

func TestExplain(t *testing.T) {
	for _, role := range []string{"primary", "replica"} {
		t.Run(role, func(t *testing.T) {
			b := newBackend(t)
			b.databases = []string{"main", "shop"}
			if role == "replica" {
				b.recovery = "t"
			}
			s := watch(t, b, explained, func(c *Config) { c.Discover = true })
			var text bytes.Buffer
			if err := s.Explain(t.Context(), &text); err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, "testdata/explain-"+role+".txt", text.String())
		})
	}
}

func TestExplainSaysWhyThereIsNothing(t *testing.T) {
	b := newBackend(t)
	b.close()
	s := watch(t, b, explained)
	var text bytes.Buffer
	if err := s.Explain(t.Context(), &text); err == nil || !strings.Contains(err.Error(), "does not answer") || text.Len() > 0 {
		t.Errorf("%v\n%s", err, &text)
	}
}
