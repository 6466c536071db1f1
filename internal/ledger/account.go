package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Account is what became of the numbers.
type Account struct {
	Acknowledged int
	Failed       int
	Unknown      int
	Late         int            // of the unknown, that are there all the same
	Lost         []int64        // acknowledged, and not there
	Doubled      []int64        // there more than once
	Strange      []int64        // there, and never written, or written and failed for certain
	Errors       map[string]int // what went wrong, and how often
}

// Compare holds what the clients know against the table, read by the connection. Stop the ledger
// first.
func (l *Ledger) Compare(ctx context.Context, conn *pgx.Conn) (Account, error) {
	rows, err := conn.Query(ctx, "SELECT n, count(*) FROM "+l.o.Table+" GROUP BY n", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return Account{}, err
	}
	found := map[int64]int64{}
	var n, times int64
	if _, err := pgx.ForEachRow(rows, []any{&n, &times}, func() error { found[n] = times; return nil }); err != nil {
		return Account{}, err
	}
	return tally(l.Tracks(), found), nil
}

// tally holds the writers' numbers against how often the table has each.
func tally(tracks []Track, found map[int64]int64) Account {
	a := Account{Errors: map[string]int{}}
	possible := map[int64]bool{}
	for _, t := range tracks {
		for _, e := range t.Entries {
			if e.Error != "" {
				a.Errors[e.Error]++
			}
			if !t.Read {
				a.count(e, found[e.Number])
				possible[e.Number] = e.Outcome != Failed
			}
		}
	}
	for n, times := range found {
		if times > 1 {
			a.Doubled = append(a.Doubled, n)
		}
		if !possible[n] {
			a.Strange = append(a.Strange, n)
		}
	}
	for _, list := range [][]int64{a.Lost, a.Doubled, a.Strange} {
		slices.Sort(list)
	}
	return a
}

func (a *Account) count(e Entry, there int64) {
	switch e.Outcome {
	case Acknowledged:
		a.Acknowledged++
		if there == 0 {
			a.Lost = append(a.Lost, e.Number)
		}
	case Failed:
		a.Failed++
	default:
		a.Unknown++
		if there > 0 {
			a.Late++
		}
	}
}

// Clean is true when all that was acknowledged is there, once, and nothing else is but what nobody
// knows of.
func (a Account) Clean() bool {
	return a.Acknowledged > 0 && len(a.Lost)+len(a.Doubled)+len(a.Strange) == 0
}

func (a Account) String() string {
	return fmt.Sprintf("%d acknowledged, %d lost, %d doubled, %d from nowhere; %d failed; %d without an answer, of which %d are there; errors: %v",
		a.Acknowledged, len(a.Lost), len(a.Doubled), len(a.Strange), a.Failed, a.Unknown, a.Late, a.Errors)
}
