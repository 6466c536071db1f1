package controller

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"pigsty/internal/engine"
)

// Journal records what a run did, one event a line, in the site's state folder. It is for
// people; nothing reads it to decide anything.
type Journal struct{ file *os.File }

// OpenJournal begins the record of one run.
func (w *Work) OpenJournal() (*Journal, error) {
	dir := filepath.Join(w.site.dir, "journal")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// Runs of one process may begin in the same second; those of others have another number.
	name := fmt.Sprintf("%s-%d.jsonl", time.Now().UTC().Format("20060102T150405.000000000Z"), os.Getpid())
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the run's journal: %w", err)
	}
	return &Journal{f}, nil
}

// Write records an event. A journal that cannot be written does not stop a run.
func (j *Journal) Write(e engine.Event) { _ = json.NewEncoder(j.file).Encode(e) }

// Close ends the record.
func (j *Journal) Close() error { return j.file.Close() }

// Names gives the nodes' names for people, by address.
func (w *Work) Names() map[string]string {
	names := map[string]string{}
	for _, n := range w.site.Deployment.Nodes {
		names[n.Addr] = n.Name
	}
	return names
}
