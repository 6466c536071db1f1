package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// contender is an exporter in one configuration.
type contender struct {
	name string
	argv []string
	env  []string

	group
	cmd    *exec.Cmd
	log    bytes.Buffer
	url    string
	client *http.Client
}

// start starts it and waits until it listens. It stands still between its turns, so that nobody
// works in another one's.
func (c *contender) start(ctx context.Context, number int) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	c.url = fmt.Sprintf("http://127.0.0.1:%d/", port)
	c.client = &http.Client{Transport: &http.Transport{DisableCompression: true}, Timeout: 10 * time.Minute}
	if c.group, err = newGroup(fmt.Sprintf("exporter-%d", number)); err != nil {
		return err
	}
	argv := append(slices.Clone(c.argv), fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port))
	c.cmd = exec.CommandContext(context.WithoutCancel(ctx), argv[0], argv[1:]...)
	c.cmd.Env = append([]string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin"}, c.env...)
	c.cmd.Stdout, c.cmd.Stderr = &c.log, &c.log
	if err := c.group.start(c.cmd); err != nil {
		return err
	}
	for range 200 {
		answer, err := c.client.Get(c.url + "version")
		if err == nil {
			answer.Body.Close()
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("%s does not listen:\n%s", c.name, &c.log)
}

// stop ends it.
func (c *contender) stop() error {
	if c.cmd == nil {
		return nil
	}
	err := c.end()
	_ = c.cmd.Wait() // it was killed
	c.client.CloseIdleConnections()
	return err
}

// scrape asks for the metrics as Prometheus does.
func (c *contender) scrape(ctx context.Context, patience time.Duration) (time.Duration, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"metrics", nil)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Accept-Encoding", "gzip")
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint(patience.Seconds()))
	began := time.Now()
	answer, err := c.client.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w\n%s", c.name, err, &c.log)
	}
	defer answer.Body.Close()
	packed, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return 0, nil, fmt.Errorf("%s: %s: %w\n%s", c.name, answer.Status, err, packed)
	}
	return time.Since(began), packed, nil
}

// unpack gives the text of a scrape.
func unpack(packed []byte) ([]byte, error) {
	if !bytes.HasPrefix(packed, []byte{0x1f, 0x8b}) {
		return packed, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// peak is the most memory that it has had resident, in bytes.
func (c *contender) peak() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			var kb int64
			_, err := fmt.Sscan(value, &kb)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no VmHWM", c.name)
}
