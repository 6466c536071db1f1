package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// Kill cuts the node's power: nothing on it gets to write or say another word. Its disk keeps what
// was written. A node that is off stays off.
func (s *Sandbox) Kill(ctx context.Context, node string) error {
	return s.locked(ctx, node, "cut the power of", func(m *machine) error {
		if err := m.powerCut(ctx); err != nil {
			return err
		}
		m.hangUp(ctx)
		return m.release(ctx)
	})
}

// Start boots a node that is off, with its disk as it was, and returns when SSH answers. A node
// that runs is left alone.
func (s *Sandbox) Start(ctx context.Context, node string) error {
	return s.locked(ctx, node, "start", func(m *machine) error {
		if m.running() {
			return nil
		}
		return m.start(ctx)
	})
}

// Reset gives a node back the disk it was made with and boots it. Its address, host key and
// machine-id stay the same.
func (s *Sandbox) Reset(ctx context.Context, node string) error {
	return s.locked(ctx, node, "reset", func(m *machine) error {
		if err := m.powerCut(ctx); err != nil {
			return err
		}
		m.hangUp(ctx)
		if err := m.release(ctx); err != nil {
			return err
		}
		if err := errors.Join(removeTree(m.upper()), removeTree(m.work()), removeTree(m.docker()), removeFile(m.disk())); err != nil {
			return err
		}
		return m.start(ctx)
	})
}

// Reboot asks the node's system to restart and returns when SSH answers again.
func (s *Sandbox) Reboot(ctx context.Context, node string) error {
	return s.locked(ctx, node, "reboot", func(m *machine) error {
		boots := m.record().Boots
		if _, err := s.Exec(ctx, node, nil, "systemctl", "reboot"); err != nil && m.record().Boots == boots {
			var run *RunError
			if !errors.As(err, &run) || run.Status != 255 { // the connection may end before the answer
				return err
			}
		}
		m.hangUp(ctx)
		err := poll(ctx, bootLimit, 20*time.Millisecond, func() bool { return m.record().Boots > boots })
		if err != nil {
			return fmt.Errorf("it does not go down: %w", err)
		}
		return m.waitSSH(ctx)
	})
}

// Pause stops every process of the node where it is, as a long stall of the machine would.
func (s *Sandbox) Pause(ctx context.Context, node string) error { return s.freeze(ctx, node, true) }

// Resume lets a paused node go on.
func (s *Sandbox) Resume(ctx context.Context, node string) error { return s.freeze(ctx, node, false) }

func (s *Sandbox) freeze(ctx context.Context, node string, frozen bool) error {
	m, err := s.machine(node)
	if err != nil {
		return err
	}
	err = m.nodeGroup().freeze(ctx, frozen)
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("it is off")
	}
	if err != nil {
		return fmt.Errorf("pause or resume %s: %w", node, err)
	}
	return nil
}

// Cut pulls the node's network cable: nobody reaches it, not even this host. A start or reboot of
// the node plugs it in again.
func (s *Sandbox) Cut(ctx context.Context, node string) error {
	m, err := s.machine(node)
	if err != nil {
		return err
	}
	if err := setLink(m.link(), false); err != nil {
		return fmt.Errorf("cut %s off the network: %w; is it running?", node, err)
	}
	return ctx.Err()
}

// CutBetween drops all IP traffic between two nodes. Both stay reachable from everywhere else. The
// cut outlasts a restart of the nodes.
func (s *Sandbox) CutBetween(ctx context.Context, a, b string) error {
	pair, err := s.machines([]string{a, b})
	if err != nil {
		return err
	}
	if a == b {
		return fmt.Errorf("cut between %s and itself: name two nodes", a)
	}
	for _, r := range cutRules(pair[0], pair[1]) {
		if err := addRule(ctx, s.cfg.Name, r); err != nil {
			return fmt.Errorf("cut between %s and %s: %w", a, b, err)
		}
	}
	return nil
}

// Heal undoes Cut and every CutBetween of the nodes; of all nodes when none is named.
func (s *Sandbox) Heal(ctx context.Context, nodes ...string) error {
	all, err := s.machines(nodes)
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range all {
		if linkExists(m.link()) {
			errs = append(errs, setLink(m.link(), true))
		}
	}
	errs = append(errs, deleteRules(ctx, s.cfg.Name, func(words []string) bool {
		return slices.Contains(words, "--physdev-in") && slices.ContainsFunc(all, func(m *machine) bool {
			return slices.Contains(words, m.link())
		})
	}))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("heal the network: %w", err)
	}
	return nil
}

// locked runs do on a node while nobody else starts, stops or resets it.
func (s *Sandbox) locked(ctx context.Context, node, what string, do func(*machine) error) error {
	m, err := s.machine(node)
	if err != nil {
		return err
	}
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := do(m); err != nil {
		return fmt.Errorf("%s %s: %w", what, node, err)
	}
	return nil
}
