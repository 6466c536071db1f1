package manual

import (
	"bytes"
	"net/url"
	"path"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

var markdown = goldmark.New(
	goldmark.WithExtensions(extension.Table, extension.Linkify),
	goldmark.WithParserOptions(parser.WithAutoHeadingID()),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(headings{}, 100))),
)

// page is one file of Markdown.
type page struct {
	site   *site
	source string // in the repository: docs/pgsql.md
	path   string // on the site: pgsql.html
	title  string
	text   []byte
	tree   ast.Node
	ids    map[string]bool // what can be linked to in it
	links  []target        // to places of the site
}

// target is where a link leads.
type target struct {
	page   *page
	anchor string
}

// link is one in a list of an index.
type link struct {
	text string
	to   *page
}

// list is what an index lists below one heading.
type list struct {
	title string
	links []link
}

// heading is one of a page's contents.
type heading struct {
	Level    int
	Text, ID string
}

func parse(s *site, source, target string, content []byte) *page {
	p := &page{site: s, source: source, path: target, text: content, ids: map[string]bool{}}
	p.tree = markdown.Parser().Parse(text.NewReader(content))
	p.walk(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.Heading:
			if p.title == "" {
				p.title = p.plain(n)
			}
			p.ids[id(n)] = true
		case *extast.TableRow:
			// Who looks for a parameter or a metric is led to its row.
			if code, ok := onlyChild(n.FirstChild()).(*ast.CodeSpan); ok && !p.ids[p.plain(code)] {
				n.SetAttributeString("id", []byte(p.plain(code)))
				p.ids[p.plain(code)] = true
			}
		case *ast.RawHTML, *ast.HTMLBlock:
			s.problem(p, "it has HTML, which the site leaves out: put what is in angle brackets into backquotes")
		}
	})
	return p
}

func onlyChild(n ast.Node) ast.Node {
	if n == nil || n.ChildCount() != 1 {
		return nil
	}
	return n.FirstChild()
}

// id is what an element of the page can be linked to by; empty for none.
func id(n ast.Node) string {
	v, ok := n.AttributeString("id")
	if !ok {
		return ""
	}
	return string(v.([]byte))
}

func (p *page) walk(visit func(ast.Node)) {
	// The visitor gives no error, and so neither does the walk.
	_ = ast.Walk(p.tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			visit(n)
		}
		return ast.WalkContinue, nil
	})
}

// plain is the text of a node and all below it.
func (p *page) plain(n ast.Node) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch t := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(t.Segment.Value(p.text))
				if t.SoftLineBreak() || t.HardLineBreak() {
					b.WriteByte(' ')
				}
			}
		case *ast.String:
			if entering {
				b.Write(t.Value)
			}
		case *ast.AutoLink:
			if entering {
				b.Write(t.Label(p.text))
			}
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			if entering {
				b.Write(n.Lines().Value(p.text))
			}
		default:
			if !entering && n.Type() == ast.TypeBlock {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return strings.TrimSpace(b.String())
}

// resolve turns links between files of the repository into links of the site. A link to a file that the
// site does not have, such as a source file, becomes its text alone.
func (p *page) resolveLink(n *ast.Link) (keep bool) {
	dest, err := url.Parse(string(n.Destination))
	if err != nil {
		p.site.problem(p, "link %s: %v", n.Destination, err)
		return true
	}
	if dest.Host != "" {
		n.SetAttributeString("rel", []byte("noreferrer"))
		return true
	}
	to, source := p, p.source
	if dest.Path != "" {
		source = path.Join(path.Dir(p.source), dest.Path)
		if p.site.bySource[path.Join(source, "README.md")] != nil {
			source = path.Join(source, "README.md")
		}
		to = p.site.bySource[source]
	}
	if asset, ok := p.site.assets[source]; ok {
		n.Destination = []byte(p.to(asset))
		return true
	}
	if to == nil {
		for _, from := range sources {
			if strings.HasPrefix(source, from.folder+"/") {
				p.site.problem(p, "there is no %s to link to", source)
			}
		}
		return false
	}
	p.links = append(p.links, target{to, dest.Fragment})
	n.Destination = []byte(p.to(to.path))
	if dest.Path == "" {
		n.Destination = nil
	}
	if dest.Fragment != "" {
		n.Destination = append(n.Destination, "#"+dest.Fragment...)
	}
	return true
}

func (s *site) resolve(p *page) {
	var loose []*ast.Link
	p.walk(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.Link:
			if !p.resolveLink(n) {
				loose = append(loose, n)
			}
		case *ast.Image:
			asset, ok := s.assets[path.Join(path.Dir(p.source), string(n.Destination))]
			if !ok {
				s.problem(p, "there is no picture %s", n.Destination)
			}
			n.Destination = []byte(p.to(asset))
		}
	})
	for _, n := range loose {
		parent := n.Parent()
		for c := n.FirstChild(); c != nil; c = n.FirstChild() {
			parent.InsertBefore(parent, n, c)
		}
		parent.RemoveChild(parent, n)
	}
}

// check tells of links to places that their pages do not have.
func (p *page) check() {
	for _, l := range p.links {
		if l.anchor != "" && !l.page.ids[l.anchor] {
			p.site.problem(p, "%s has no heading #%s", l.page.source, l.anchor)
		}
	}
}

// to is a path of the site as a link from this page.
func (p *page) to(target string) string { return p.root() + target }

// root leads from the page to the folder of the site.
func (p *page) root() string { return strings.Repeat("../", strings.Count(p.path, "/")) }

// lists are the links of an index, by heading: of lists, and of the first column of tables.
func (p *page) lists() []list {
	parts := []list{{}}
	for n := p.tree.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			parts = append(parts, list{title: p.plain(h)})
			continue
		}
		at := &parts[len(parts)-1]
		for item := n.FirstChild(); item != nil; item = item.NextSibling() {
			first := item.FirstChild() // of an item its text block, of a row its first cell
			if first == nil {
				continue
			}
			l, ok := first.FirstChild().(*ast.Link)
			if !ok {
				continue
			}
			if to := p.leads(l); to != nil && to != p {
				at.links = append(at.links, link{p.plain(l), to})
			}
		}
	}
	return parts
}

// leads is the page that a link, which has been resolved, leads to.
func (p *page) leads(l *ast.Link) *page {
	for _, to := range p.site.pages {
		if string(l.Destination) == p.to(to.path) {
			return to
		}
	}
	return nil
}

// contents are the headings below the title.
func (p *page) contents() []heading {
	var out []heading
	p.walk(func(n ast.Node) {
		if h, ok := n.(*ast.Heading); ok && (h.Level == 2 || h.Level == 3) {
			out = append(out, heading{h.Level, p.plain(h), id(h)})
		}
	})
	if len(out) < 2 {
		return nil
	}
	return out
}

func (p *page) html() string {
	var b bytes.Buffer
	if err := markdown.Renderer().Render(&b, p.text, p.tree); err != nil {
		panic("documentation: " + err.Error()) // a buffer takes everything
	}
	return b.String()
}

// headings renders each with a link to itself.
type headings struct{}

// RegisterFuncs makes it the renderer of headings.
func (h headings) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindHeading, h.render)
}

func (headings) render(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	h := n.(*ast.Heading)
	tag := "h" + string(rune('0'+h.Level))
	at := util.EscapeHTML([]byte(id(h)))
	var text string
	switch {
	case entering:
		text = "<" + tag + ` id="` + string(at) + `">`
	case h.Level > 1:
		text = ` <a class="anchor" href="#` + string(at) + `" aria-label="link to this heading">#</a></` + tag + ">\n"
	default:
		text = "</" + tag + ">\n"
	}
	_, err := w.WriteString(text)
	return ast.WalkContinue, err
}
