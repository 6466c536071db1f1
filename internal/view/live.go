package view

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// live is the part of the terminal that changes: one line for each busy node, redrawn a few
// times a second. Its methods do nothing on a nil receiver, where there is no terminal.
type live struct {
	w     io.Writer
	width int
	quit  chan struct{}
	idle  sync.WaitGroup

	mu    sync.Mutex
	busy  map[string]task
	drawn int // lines on the screen
}

type task struct {
	text  string
	since time.Time
}

// maxLive bounds the lines, so that hundreds of nodes do not scroll the screen.
const maxLive = 8

func newLive(w io.Writer, width int) *live {
	l := &live{w: w, width: width, quit: make(chan struct{}), busy: map[string]task{}}
	l.idle.Go(l.loop)
	return l
}

func (l *live) loop() {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-l.quit:
			return
		case <-tick.C:
			l.above(func() {})
		}
	}
}

func (l *live) begin(node, text string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy[node] = task{text, time.Now()}
}

func (l *live) end(node string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.busy, node)
}

// above prints something that stays, over the status lines, which are drawn anew below it.
func (l *live) above(print func()) {
	if l == nil {
		print()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.erase()
	print()
	l.draw()
}

func (l *live) stop() {
	if l == nil {
		return
	}
	close(l.quit)
	l.idle.Wait()
	l.erase()
}

func (l *live) erase() {
	if l.drawn > 0 {
		fmt.Fprintf(l.w, "\x1b[%dA\x1b[J", l.drawn)
		l.drawn = 0
	}
}

func (l *live) draw() {
	nodes := make([]string, 0, len(l.busy))
	for node := range l.busy {
		nodes = append(nodes, node)
	}
	slices.Sort(nodes)
	for i, node := range nodes {
		if i == maxLive {
			fmt.Fprintf(l.w, "… and %d more\n", len(nodes)-maxLive)
			l.drawn++
			return
		}
		t := l.busy[node]
		line := []rune(fmt.Sprintf("%-14s %s  %s", node, t.text, seconds(time.Since(t.since))))
		fmt.Fprintln(l.w, string(line[:min(len(line), l.width-1)]))
		l.drawn++
	}
}
