package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// idleWindow is how long the nodes are watched doing nothing for us.
const idleWindow = 20 * time.Second

// idle measures what the nodes' services use by themselves: etcd and Patroni never rest.
func (r *results) idle(ctx context.Context, l *lab) error {
	say("watching idle nodes for %s", idleWindow)
	before, err := l.used()
	if err != nil {
		return err
	}
	start := time.Now()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(idleWindow):
	}
	after, err := l.used()
	r.idleRate = (after.nodes - before.nodes).Seconds() / time.Since(start).Seconds()
	return err
}

// nothing measures plans of nodes that are in order, over new connections and over open ones.
func (r *results) nothing(ctx context.Context, l *lab) error {
	for range r.options.rounds {
		if err := l.hangUp(ctx); err != nil {
			return err
		}
		c, _, err := l.pigsty(ctx, 0, "plan")
		if err != nil {
			return err
		}
		r.cold = append(r.cold, c)
	}
	for range r.options.rounds {
		c, _, err := l.pigsty(ctx, 0, "plan")
		if err != nil {
			return err
		}
		r.warm = append(r.warm, c)
	}
	say("plans: cold %.2f s, warm %.2f s", spreadOf(r.cold, wall).median.Seconds(), spreadOf(r.warm, wall).median.Seconds())
	return nil
}

// changes adds a user and a database with each apply, applies a second time, and then does
// nothing for as long, while somebody writes.
func (r *results) changes(ctx context.Context, l *lab) error {
	book, err := openLedger(ctx, l)
	if err != nil {
		return err
	}
	defer book.close()
	for i := range r.options.rounds {
		if err := l.addDatabase(i); err != nil {
			return err
		}
		first, err := l.applied(ctx, book, &r.changed)
		if err != nil {
			return err
		}
		r.whileChanging.add(first)
		second, err := l.applied(ctx, book, &r.again)
		if err != nil {
			return err
		}
		r.whileAgain.add(second)
		quiet := book.open()
		time.Sleep(r.again[len(r.again)-1].wall)
		r.whileQuiet.add(book.count(quiet))
	}
	say("user and database: %.2f s", spreadOf(r.changed, wall).median.Seconds())
	return nil
}

func (l *lab) applied(ctx context.Context, book *ledger, costs *[]cost) (writes, error) {
	from := book.open()
	c, _, err := l.pigsty(ctx, 0, "apply", "--yes")
	if err != nil {
		return writes{}, err
	}
	*costs = append(*costs, c)
	return book.count(from), nil
}

// addDatabase writes another user and a database of his into the inventory.
func (l *lab) addDatabase(i int) error {
	text, err := os.ReadFile(l.inventory)
	if err != nil {
		return err
	}
	const user = "          - { name: test, password: test, pgbouncer: true, roles: [dbrole_admin] }\n"
	const database = "          - { name: test }\n"
	for _, piece := range []string{user, database} {
		if strings.Count(string(text), piece) != 1 {
			return fmt.Errorf("%q is not once in conf/sandbox.yml", piece)
		}
	}
	name := fmt.Sprintf("bench%d", i)
	return os.WriteFile(l.inventory, []byte(strings.NewReplacer(
		user, user+fmt.Sprintf("          - { name: %s, password: %s, pgbouncer: true, roles: [dbrole_readwrite] }\n", name, name),
		database, database+fmt.Sprintf("          - { name: %s, owner: %s }\n", name, name),
	).Replace(string(text))), 0o600)
}
