package resource

import "io"

// Keep returns what open made under the same key earlier on this connection, or opens it now.
// It serves things that are costly to open and worth sharing between steps, such as a session
// with a database. They are closed with the agent's process, or before by Release.
func (h *Host) Keep(key string, open func() (io.Closer, error)) (io.Closer, error) {
	h.mu.Lock()
	kept := h.kept[key]
	h.mu.Unlock()
	if kept != nil {
		return kept, nil
	}
	// Without the lock: opening may take long and may use the host. Steps of a module run one at a
	// time, and no two modules share a key, so nobody else opens the same.
	opened, err := open()
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.kept == nil {
		h.kept = map[string]io.Closer{}
	}
	h.kept[key] = opened
	return opened, nil
}

// Release closes what Keep keeps under the key, if anything. What closing says is of no
// interest: the thing is given up either way.
func (h *Host) Release(key string) {
	h.mu.Lock()
	c := h.kept[key]
	delete(h.kept, key)
	h.mu.Unlock()
	if c != nil {
		_ = c.Close()
	}
}
