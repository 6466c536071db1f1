package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Up makes the sandbox, as far as it is not there, and returns when every node answers on SSH.
// Of a sandbox that is up it starts the nodes that are off; they find their disks as they were.
// When it fails, what was made stays for a look at it, and Down removes it.
func Up(ctx context.Context, c Config) (*Sandbox, error) {
	if err := EnsureHost(ctx, c.Progress); err != nil {
		return nil, err
	}
	setDefault(&c.Name, "main")
	s := &Sandbox{}
	old, err := Open(c.Name)
	switch {
	case err == nil:
		s.lower = old.lower
		if c, err = c.over(old.cfg); err != nil {
			return nil, err
		}
	case !errors.Is(err, ErrNotFound):
		return nil, err
	}
	if err := errors.Join(c.setDefaults(), c.validate()); err != nil {
		return nil, err
	}
	s.cfg = c
	if err := s.build(ctx); err != nil {
		return nil, err
	}
	unlock, err := lockSandbox(ctx, c.Name, unix.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.claim(ctx, old == nil); err != nil {
		if old == nil { // nothing else is there of it
			err = errors.Join(err, removeFile(sandboxLock(c.Name)))
		}
		return nil, err
	}
	if err := s.connect(ctx); err != nil {
		return nil, fmt.Errorf("network of sandbox %s: %w", c.Name, err)
	}
	if err := s.writeKeys(); err != nil {
		return nil, fmt.Errorf("SSH keys of sandbox %s: %w", c.Name, err)
	}
	if err := s.startMissing(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// build makes the images, or finds them in the cache. A sandbox that is there keeps the images its
// disks were made over.
func (s *Sandbox) build(ctx context.Context) error {
	for _, dir := range s.lower {
		if !exists(dir) {
			return fmt.Errorf("image %s of sandbox %s is gone from the cache, its disks cannot be read without it: "+
				"pigsty sandbox down --name %s, then up", dir, s.cfg.Name, s.cfg.Name)
		}
	}
	if len(s.lower) > 0 {
		return nil
	}
	base, err := buildImage(ctx, &s.cfg)
	if err != nil {
		return err
	}
	s.lower = []string{base}
	if len(s.cfg.Layer) == 0 {
		return nil
	}
	layer, err := buildLayer(ctx, &s.cfg, base)
	s.lower = []string{layer, base}
	return err
}

// claim describes the sandbox on disk. A new one takes its subnet with that, so that no other does.
func (s *Sandbox) claim(ctx context.Context, fresh bool) error {
	unlock, err := lockHost(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if exists(s.descriptionPath()) == fresh {
		return fmt.Errorf("sandbox %s was made or taken down by another pigsty a moment ago; run up again", s.cfg.Name)
	}
	if fresh {
		if err := checkSubnet(&s.cfg); err != nil {
			return err
		}
		if err := os.MkdirAll(s.dir(), 0o755); err != nil {
			return err
		}
	}
	return s.save()
}

// connect makes the bridge and lets the nodes out through the host.
func (s *Sandbox) connect(ctx context.Context) error {
	unlock, err := lockHost(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.MkdirAll(filepath.Join(runRoot, s.cfg.Name), 0o700); err != nil {
		return err
	}
	if err := ensureBridge(&s.cfg); err != nil {
		return err
	}
	for _, r := range baseRules(&s.cfg) {
		if err := addRule(ctx, s.cfg.Name, r); err != nil {
			return err
		}
	}
	return raiseHost()
}

// startMissing starts every node that is off, all at the same time.
func (s *Sandbox) startMissing(ctx context.Context) error {
	all, err := s.machines(nil)
	if err != nil {
		return err
	}
	var off []*machine
	for _, m := range all {
		if !m.running() {
			off = append(off, m)
		}
	}
	if len(off) == 0 {
		s.cfg.say("sandbox %s is already up: %s", s.cfg.Name, joinNames(s.cfg.Nodes))
		return nil
	}
	began := time.Now()
	err = each(off, func(m *machine) error {
		if err := m.start(ctx); err != nil {
			return err
		}
		s.cfg.say("%s is up at %s after %.1f s", m.Name, m.Addr, time.Since(began).Seconds())
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w\nwhat was made stays for a look at it; pigsty sandbox down --name %s removes it", err, s.cfg.Name)
	}
	return nil
}
