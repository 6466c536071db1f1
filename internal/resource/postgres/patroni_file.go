package postgres

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*PatroniFile)(nil)
	_                   = resource.Register(func() resource.Resource { return &PatroniFile{} })
)

// PatroniFile is a member's own patroni.yml: a file that also knows what a new content costs.
// Apply makes a Patroni that runs read it and waits until it is in force; after a change that
// takes a restart of PostgreSQL, until Patroni knows, so that a later PatroniRestart finds it. It
// holds no secret.
type PatroniFile struct {
	Path    string      `json:"path"`
	Content string      `json:"content"`
	Owner   string      `json:"owner,omitempty"` // empty = root
	Group   string      `json:"group,omitempty"` // empty = the owner's own, or root
	Mode    fs.FileMode `json:"mode,omitempty"`  // 0 = 0644
	API     PatroniAPI  `json:"api"`             // of the member on this node
	Conn    Conn        `json:"conn"`            // asked which parameters need a restart
}

func (f *PatroniFile) Kind() string { return "patroni_file" }
func (f *PatroniFile) Name() string { return f.Path }

func (f *PatroniFile) file() *resource.File {
	return &resource.File{Path: f.Path, Content: f.Content, Owner: f.Owner, Group: f.Group, Mode: f.Mode, Impact: resource.Reload}
}

// localSettings is the part of patroni.yml that reaches PostgreSQL.
type localSettings struct {
	PostgreSQL struct {
		Listen     string         `yaml:"listen"`
		Parameters map[string]any `yaml:"parameters"`
	} `yaml:"postgresql"`
}

// unread marks, across an interruption, that Patroni has not been told of the new file yet.
func (f *PatroniFile) unread() resource.Notification { return PatroniReads(f.Path) }

// PatroniReads asks for the file to be read again, and with it what PostgreSQL has from
// elsewhere, such as its certificate. The step of a PatroniFile of that path comes later in the
// listing; a reload of Patroni's unit would be over before PostgreSQL has noticed.
func PatroniReads(path string) resource.Notification { return resource.ReloadOf(filepath.Base(path)) }

// Diff compares the file, and tells when PostgreSQL will have to restart for it.
func (f *PatroniFile) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	c, err := f.file().Diff(ctx, h)
	if err != nil {
		return nil, err
	}
	if c == nil {
		if h.PendingNotice(f.unread().Unit) == "" {
			return nil, nil
		}
		return &resource.Change{Action: resource.Run, Impact: resource.Reload, Fields: []resource.Field{{Name: "reload", Before: "old settings", After: "new settings"}}}, nil
	}
	if c.Action != resource.Update {
		return c, nil
	}
	restart, lowered, err := f.restartFor(ctx, h)
	if len(restart) > 0 {
		c.Impact, c.Effect = resource.Restart, restartEffect(restart, lowered)
	}
	return c, err
}

// restartFor lists the parameters that the new content changes and that need a restart.
func (f *PatroniFile) restartFor(ctx context.Context, h *resource.Host) (parameters []string, lowered bool, err error) {
	current, err := os.ReadFile(h.Path(f.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	changed := diffLocal(string(current), f.Content)
	return f.Conn.restartParameters(ctx, h, changed), onlyLowered(changed), nil
}

// diffLocal lists PostgreSQL's parameters that differ between two patroni.yml. A file that
// cannot be read as YAML has none: Patroni cannot have taken any from it.
func diffLocal(before, after string) []resource.Field {
	have, want := readLocal(before), readLocal(after)
	// A key that the new file does not have goes back to its default.
	for name := range have {
		if _, ok := want[name]; !ok {
			want[name] = nil
		}
	}
	fields, _ := diffConfigAt(parameterPath, want, have)
	return parametersIn(fields)
}

func readLocal(content string) map[string]any {
	var s localSettings
	if yaml.Unmarshal([]byte(content), &s) != nil {
		s = localSettings{}
	}
	parameters := map[string]any{}
	for name, value := range s.PostgreSQL.Parameters {
		parameters[name] = configText(value)
	}
	if s.PostgreSQL.Listen != "" {
		// Patroni makes listen_addresses and port of it.
		parameters["listen_addresses"] = s.PostgreSQL.Listen
	}
	return parameters
}

// Apply writes the file and has a Patroni that runs read it.
func (f *PatroniFile) Apply(ctx context.Context, h *resource.Host) error {
	restart, _, err := f.restartFor(ctx, h)
	if err != nil {
		return err
	}
	if err := h.Mark(f.unread()); err != nil {
		return err
	}
	if err := f.file().Apply(ctx, h); err != nil {
		return err
	}
	if err := f.reload(ctx, h, len(restart) > 0); err != nil && !errors.Is(err, errNoPatroni) {
		h.Note("Patroni has not taken %s yet: %v", f.Path, err)
	}
	return h.Unmark(f.unread().Unit)
}

// reload tells Patroni of the file, and waits until PostgreSQL has what is in it: an access rule
// that is not in force yet would be a surprise. A Patroni that does not run reads the file when
// it starts.
func (f *PatroniFile) reload(ctx context.Context, h *resource.Host, restart bool) error {
	if f.API.URL == "" {
		return nil
	}
	client, err := f.API.Open(h)
	if err != nil {
		return err
	}
	before := f.loaded(ctx, h)
	if err := client.Reload(ctx); err != nil {
		return err
	}
	if restart {
		return client.settled(ctx)
	}
	deadline := time.Now().Add(settlePatience)
	for before != "" && f.loaded(ctx, h) == before {
		if time.Now().After(deadline) {
			return errors.New("PostgreSQL was not told to reload; see Patroni's log")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settlePause):
		}
	}
	return nil
}

// loaded is when PostgreSQL read its configuration; empty when it cannot be asked. Patroni makes
// it do so whenever it was told to read its own.
func (f *PatroniFile) loaded(ctx context.Context, h *resource.Host) string {
	var at string
	s, err := f.Conn.session(ctx, h, maintenance)
	if err == nil {
		err = s.QueryRow(ctx, "SELECT pg_conf_load_time()::text").Scan(&at)
	}
	if err != nil {
		return ""
	}
	return at
}
