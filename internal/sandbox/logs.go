package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// Logs writes what there is to read about a node, running or not: its supervisor's log, its boot
// console, and the last lines of its journal (all of it when lines is 0).
func (s *Sandbox) Logs(ctx context.Context, node string, lines int, w io.Writer) error {
	m, err := s.machine(node)
	if err != nil {
		return err
	}
	for _, path := range []string{m.log(), m.console()} {
		if err := copySection(w, path); err != nil {
			return fmt.Errorf("read the logs of %s: %w", node, err)
		}
	}
	journal := filepath.Join(m.upper(), "var/log/journal")
	fmt.Fprintf(w, "==> %s <==\n", journal)
	if !exists(journal) {
		_, err := fmt.Fprintln(w, "no journal yet")
		return err
	}
	argv := []string{"--directory=" + journal, "--no-pager", "--quiet", "--output=short-precise"}
	if lines > 0 {
		argv = append(argv, "--lines="+strconv.Itoa(lines))
	}
	cmd := exec.CommandContext(ctx, "journalctl", argv...)
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("read the journal of %s: %w", node, err)
	}
	return nil
}

func copySection(w io.Writer, path string) error {
	fmt.Fprintf(w, "==> %s <==\n", path)
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		_, err := fmt.Fprintln(w, "never started")
		return err
	}
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
