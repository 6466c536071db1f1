package postgres

import (
	"context"
	"fmt"
	"slices"

	"pigsty/internal/resource"
)

// edit is one thing to change in PostgreSQL: how the plan tells it, and the statements that do
// it. A plan's text and what is executed come from the same edits.
type edit struct {
	Field  resource.Field
	SQL    []string
	Secret bool // the statements hold a password
	// Alone statements cannot run in a transaction with others.
	Alone  bool
	Impact resource.Impact
}

// changeOf tells edits as a change; nil when there are none.
func changeOf(action resource.Action, edits []edit) *resource.Change {
	if len(edits) == 0 {
		return nil
	}
	c := &resource.Change{Action: action}
	for _, e := range edits {
		if e.Field.Name != "" {
			c.Fields = append(c.Fields, e.Field)
		}
		c.Impact = max(c.Impact, e.Impact)
	}
	return c
}

// statements lists the SQL of edits.
func statements(edits []edit) []string {
	var all []string
	for _, e := range edits {
		all = append(all, e.SQL...)
	}
	return all
}

// run carries edits out: neighbours that can share a transaction do, so that an interrupted run
// leaves all or nothing of them.
func (s session) run(ctx context.Context, doing string, edits []edit) error {
	for len(edits) > 0 {
		n := slices.IndexFunc(edits, func(e edit) bool { return e.Alone })
		switch n {
		case 0:
			if err := s.runAlone(ctx, edits[0].SQL); err != nil {
				return problem(doing, err)
			}
			n = 1
		case -1:
			n = len(edits)
			fallthrough
		default:
			if err := s.runTogether(ctx, edits[:n]); err != nil {
				return problem(doing, err)
			}
		}
		edits = edits[n:]
	}
	return nil
}

// runAlone executes statements that copy or move a whole database, for which no fixed time is
// long enough.
func (s session) runAlone(ctx context.Context, sql []string) error {
	for _, one := range slices.Concat([]string{"SET statement_timeout = 0"}, sql, []string{"RESET statement_timeout"}) {
		if _, err := s.Exec(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

// silence keeps statements of a transaction out of the server's log, out of pg_stat_statements,
// and out of pg_stat_activity, where every member of pg_read_all_stats would see them. The
// setting of pg_stat_statements means nothing, and harms nothing, where it is not loaded.
var silence = []string{
	"SET LOCAL log_statement = none",
	"SET LOCAL log_min_duration_statement = -1",
	"SET LOCAL log_min_duration_sample = -1",
	"SET LOCAL log_transaction_sample_rate = 0",
	"SET LOCAL log_min_error_statement = panic",
	"SET LOCAL pg_stat_statements.track = none",
	"SET LOCAL track_activities = off",
}

func (s session) runTogether(ctx context.Context, edits []edit) error {
	sql := statements(edits)
	if slices.ContainsFunc(edits, func(e edit) bool { return e.Secret }) {
		sql = slices.Concat(silence, sql)
	}
	tx, err := s.Begin(ctx)
	if err != nil {
		return err
	}
	// After a commit this does nothing; before, the error at hand is the one that counts.
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	for _, one := range sql {
		if _, err := tx.Exec(ctx, one); err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}

// serverVersion is the major version of the server, such as 17.
func (s session) serverVersion(ctx context.Context) (int, error) {
	var number int
	err := s.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&number)
	if err != nil {
		return 0, problem("ask for the server's version", err)
	}
	return number / 10000, nil
}

// yesNo is how plans write an attribute that is on or off.
func yesNo(on bool) string {
	if on {
		return "yes"
	}
	return "no"
}

// limitText is how plans write a connection limit.
func limitText(limit int) string {
	if limit < 0 {
		return "no limit"
	}
	return fmt.Sprint(limit)
}
