// Package manual makes a web site of the documentation: pages with a sidebar, links between them,
// and a search that runs in the browser. It asks nobody but its own server.
package manual

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"runtime/debug"
	"strings"
	"sync"

	"pigsty/bench/results"
	"pigsty/docs"
)

//go:embed pages
var pageFiles embed.FS

// code is what renders: a change of it may change the site, as one of its sources does.
//
//go:embed manual.go page.go search.go
var code embed.FS

var layout = template.Must(template.ParseFS(pageFiles, "pages/page.html"))

// index is the page that lists all others; the sidebar is what it lists.
const index = "docs/README.md"

// sources are the folders that pages come from, by their place in the repository, with the folder of
// the site that they go to.
var sources = []struct {
	folder, to string
	files      fs.FS
}{
	{"docs", "", docs.Files},
	{"bench/results", "measured", results.Files},
}

// Edition differs whenever the site may: it is made of all that the site is made from.
var Edition = sync.OnceValue(func() string {
	sum := sha256.New()
	for _, files := range []fs.FS{docs.Files, results.Files, pageFiles, code} {
		err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(files, name)
			fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
			return err
		})
		if err != nil {
			panic("documentation: " + err.Error()) // what is embedded can always be read
		}
	}
	if built, ok := debug.ReadBuildInfo(); ok {
		for _, module := range built.Deps {
			if strings.HasSuffix(module.Path, "/goldmark") {
				fmt.Fprintln(sum, module.Version)
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
})

// Files is the site: each file's content by its path below the site's folder. A link that leads
// nowhere is left out: no deployment fails for a fault of its documentation, but this package's test.
var Files = sync.OnceValue(func() map[string]string { return read().files() })

// site is the documentation while it is being rendered.
type site struct {
	pages    []*page
	bySource map[string]*page
	// assets are files that are served as they are: their path on the site, by their source.
	assets map[string]string
	texts  map[string]string // of assets, by path on the site
	menu   []chapter
	// problems are links that lead nowhere, and what else a page may not have.
	problems []string
}

// chapter is a part of the sidebar.
type chapter struct {
	Title   string
	Entries []entry
}

type entry struct {
	Title string
	page  *page
	Below []entry
}

// read parses every page.
func read() *site {
	s := &site{bySource: map[string]*page{}, assets: map[string]string{}, texts: map[string]string{}}
	for _, from := range sources {
		err := fs.WalkDir(from.files, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(from.files, name)
			if err != nil {
				return err
			}
			s.add(path.Join(from.folder, name), path.Join(from.to, name), text)
			return nil
		})
		if err != nil {
			panic("documentation: " + err.Error()) // what is embedded can always be read
		}
	}
	for _, p := range s.pages {
		s.resolve(p)
	}
	for _, p := range s.pages {
		p.check()
	}
	s.findLost()
	s.readMenu()
	return s
}

func (s *site) add(source, target string, text []byte) {
	base, markdown := strings.CutSuffix(target, ".md")
	if !markdown {
		s.assets[source], s.texts[target] = target, string(text)
		return
	}
	if path.Base(base) == "README" {
		base = path.Join(path.Dir(base), "index")
	}
	p := parse(s, source, base+".html", text)
	s.pages = append(s.pages, p)
	s.bySource[source] = p
}

func (s *site) problem(p *page, format string, args ...any) {
	s.problems = append(s.problems, p.source+": "+fmt.Sprintf(format, args...))
}

// readMenu takes the sidebar from the index, and what is below a folder's own index from that.
func (s *site) readMenu() {
	for _, part := range s.bySource[index].lists() {
		c := chapter{Title: part.title}
		for _, l := range part.links {
			e := entry{Title: l.text, page: l.to}
			if path.Base(l.to.source) == "README.md" {
				for _, below := range l.to.lists() {
					for _, l := range below.links {
						e.Below = append(e.Below, entry{Title: l.text, page: l.to})
					}
				}
			}
			c.Entries = append(c.Entries, e)
		}
		if len(c.Entries) > 0 {
			s.menu = append(s.menu, c)
		}
	}
}

// findLost tells of pages that the sidebar does not have, and, where a folder has an index of its own,
// of those that no other page leads to.
func (s *site) findLost() {
	found := map[*page]bool{}
	for _, p := range s.pages {
		for _, l := range p.links {
			below := strings.HasPrefix(p.path, path.Dir(l.page.path)+"/")
			if p.source == index || below && l.page != p {
				found[l.page] = true
			}
		}
	}
	for _, p := range s.pages {
		if p.source != index && !found[p] {
			s.problem(p, "no index leads to it: list it in docs/README.md, or in the README.md of its folder")
		}
	}
}

// files renders all.
func (s *site) files() map[string]string {
	out := map[string]string{}
	for name, text := range s.texts {
		out[name] = text
	}
	for _, name := range []string{"manual.css", "manual.js"} {
		text, err := pageFiles.ReadFile("pages/" + name)
		if err != nil {
			panic("documentation: " + err.Error())
		}
		out[name] = string(text)
	}
	var sections []section
	for _, p := range s.pages {
		out[p.path] = s.render(p)
		sections = append(sections, p.sections()...)
	}
	text, err := json.Marshal(sections)
	if err != nil {
		panic("documentation: " + err.Error())
	}
	out["search.json"] = string(text)
	return out
}

// view fills the layout of a page.
type view struct {
	Title, Root string
	Chapters    []viewChapter
	Body        template.HTML
	Contents    []heading
}

type viewChapter struct {
	Title   string
	Entries []viewEntry
}

type viewEntry struct {
	Title, Link string
	Here        bool
	Below       []viewEntry // only where one of them, or the entry itself, is the page
}

func (s *site) render(p *page) string {
	v := view{Title: p.title, Root: p.root(), Body: template.HTML(p.html()), Contents: p.contents()}
	for _, c := range s.menu {
		chapter := viewChapter{Title: c.Title}
		for _, e := range c.Entries {
			entry := e.view(p)
			open := entry.Here
			for _, below := range e.Below {
				entry.Below = append(entry.Below, below.view(p))
				open = open || below.page == p
			}
			if !open {
				entry.Below = nil
			}
			chapter.Entries = append(chapter.Entries, entry)
		}
		v.Chapters = append(v.Chapters, chapter)
	}
	var b strings.Builder
	if err := layout.Execute(&b, v); err != nil {
		panic("documentation: " + err.Error()) // the layout does not fit its data, which the tests find
	}
	return b.String()
}

func (e entry) view(at *page) viewEntry {
	return viewEntry{Title: e.Title, Link: at.to(e.page.path), Here: e.page == at}
}
