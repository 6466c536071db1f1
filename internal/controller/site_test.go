package controller_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"pigsty/bench/fleet"
	"pigsty/internal/controller"
	"pigsty/internal/resource"
)

// sandbox copies conf/sandbox.yml to a folder of its own, with simulated nodes for it.
func sandbox(t *testing.T) (path string, f *fleet.Fleet) {
	t.Helper()
	text, err := os.ReadFile("../../conf/sandbox.yml")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "site.yml")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path, fleet.New(t.TempDir())
}

func open(t *testing.T, path string) *controller.Site {
	t.Helper()
	s, err := controller.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func prepare(t *testing.T, path string, request controller.Request, f *fleet.Fleet) *controller.Work {
	t.Helper()
	w, err := open(t, path).Prepare(t.Context(), request, f.Dial)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// dying is an executor that may end its agent before a command.
type dying struct {
	resource.Executor
	die func()
}

func (e dying) Run(ctx context.Context, c resource.Command) ([]byte, error) {
	e.die()
	return e.Executor.Run(ctx, c)
}

// cut is a stream that breaks when all streams together have been read from so many times.
type cut struct {
	io.ReadWriteCloser
	reads *atomic.Int64
	at    int64
}

func (c *cut) Read(p []byte) (int, error) {
	if c.reads.Add(1) >= c.at {
		return 0, errors.Join(errors.New("the cable was cut"), c.Close())
	}
	return c.ReadWriteCloser.Read(p)
}
