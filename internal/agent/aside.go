package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// asides lists what is set aside on the node, in folders and, where a server takes writes, in it.
func (s *server) asides(ctx context.Context, server *postgres.Conn) ([]resource.Aside, error) {
	all, err := resource.Asides(s.host)
	if err != nil || server == nil {
		return all, err
	}
	more, err := server.Asides(ctx, s.host)
	return append(all, more...), err
}

// Expire deletes what is set aside on the node and has expired, and tells of each. It does nothing
// while a run changes the node: there is another hour.
func Expire(ctx context.Context, h *resource.Host, now time.Time, tell func(string)) error {
	f, err := openLock(h)
	if err != nil {
		return err
	}
	defer f.Close()
	other, err := lockFor(f, Holder{User: "root", Host: "this node", PID: os.Getpid(), Since: now, Purpose: "pigsty expire"})
	if err != nil {
		return err
	}
	if other != nil {
		tell(fmt.Sprintf("nothing was looked at: %s is changing this node", other))
		return nil
	}
	gone, err := resource.Expire(h, now)
	failed := []error{err}
	if server, err := readServer(h); server != nil {
		more, dropping := server.Expire(ctx, h, now)
		gone = append(gone, more...)
		failed = append(failed, dropping)
	} else {
		failed = append(failed, err)
	}
	for _, a := range gone {
		tell(fmt.Sprintf("%s %s, removed on %s, has expired and was deleted", a.What, a.Item, a.Removed.Format(time.DateTime)))
	}
	return errors.Join(failed...)
}

// readServer is the node's server as the last removal noted it; nil when none did.
func readServer(h *resource.Host) (*postgres.Conn, error) {
	text, err := os.ReadFile(h.Path(postgres.ExpireServer))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var c postgres.Conn
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", postgres.ExpireServer, err)
	}
	return &c, nil
}
