// Command catalogue makes the catalogues of extensions in internal/distro/extensions: it asks apt
// on a node of each release for what the release packages, and reads the packages. It needs root,
// bin/pigsty and the network:
//
//	go run ./internal/distro/catalogue
package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"

	"pigsty/internal/distro"
	"pigsty/internal/sandbox"
)

//go:embed collect.sh
var collect string

// releases are Debian's, with the names that their archives have.
var releases = map[int]string{12: "bookworm", 13: "trixie"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	subnet := flag.String("subnet", "10.10.89.0/24", "of the nodes that are asked")
	flag.Parse()
	for release, name := range releases {
		if err := generate(ctx, release, name, *subnet); err != nil {
			fmt.Fprintf(os.Stderr, "catalogue of Debian %d: %v\n", release, err)
			os.Exit(1)
		}
	}
}

// generate writes the catalogue of a release.
func generate(ctx context.Context, release int, name, subnet string) error {
	told, err := ask(ctx, release, name, subnet)
	if err != nil {
		return err
	}
	known, err := readKnowledge(knowledgeTable)
	if err != nil {
		return err
	}
	c, unknown, err := read(told, release, known)
	if err != nil {
		return err
	}
	for _, library := range unknown {
		fmt.Fprintf(os.Stderr, "Debian %d: %s mentions shared_preload_libraries, and knowledge.table says nothing of it\n", release, library)
	}
	return os.WriteFile(filepath.Join("internal/distro/extensions", fmt.Sprintf("debian%d.json", release)), encode(c), 0o644)
}

// ask runs the script on a node that is made for it.
func ask(ctx context.Context, release int, name, subnet string) (told string, err error) {
	prefix, err := netip.ParsePrefix(subnet)
	if err != nil {
		return "", err
	}
	s, err := sandbox.Up(ctx, sandbox.Config{
		Name: "catalogue", Subnet: prefix, Count: 1, Release: name, Binary: "bin/pigsty",
		Progress: func(msg string) { fmt.Fprintln(os.Stderr, msg) },
	})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, sandbox.Down(context.WithoutCancel(ctx), "catalogue")) }()
	return s.Exec(ctx, s.Nodes()[0].Name, nil, "sh", "-c", collect, "collect", fmt.Sprint(distro.Postgres(release)))
}

// encode writes an extension a line, so that a change of one shows as one.
func encode(c *distro.Catalogue) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"release\": %d, \"postgres\": %d,\n\"extensions\": [", c.Release, c.Postgres)
	for n, e := range c.Extensions {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		b.Write(line(e))
	}
	b.WriteString("\n],\n\"libraries\": ")
	b.Write(line(c.Libraries))
	b.WriteString("}\n")
	return b.Bytes()
}

func line(value any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(err) // what a catalogue holds has an encoding
	}
	return bytes.TrimSpace(b.Bytes())
}
