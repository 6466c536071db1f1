package manual

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// section is what the search finds: a part of a page below one heading, or a row of a table that is
// about one name, such as a parameter. Names are short, as browsers load all sections at once.
type section struct {
	Page  string `json:"p"`
	Title string `json:"t"` // of the page
	Head  string `json:"h"` // empty before the first heading
	ID    string `json:"a"` // empty for the page's top
	Text  string `json:"x"`
}

// sections are all of the page, in its order.
func (p *page) sections() []section {
	all := []section{{Page: p.path, Title: p.title}}
	for n := p.tree.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			if h.Level > 1 {
				all = append(all, section{p.path, p.title, p.plain(h), id(h), ""})
			}
			continue
		}
		var own []section
		text := p.plain(n)
		if table, ok := n.(*extast.Table); ok {
			own, text = p.rows(table)
		}
		at := &all[len(all)-1]
		at.Text = strings.TrimSpace(at.Text + " " + strings.Join(strings.Fields(text), " "))
		all = append(all, own...)
		if len(own) > 0 { // what follows the table is below the same heading again
			again := *at
			again.Text = ""
			all = append(all, again)
		}
	}
	out := all[:0]
	for i, s := range all {
		if s.Text != "" || i == 0 || s.Head != all[i-1].Head {
			out = append(out, s)
		}
	}
	return out
}

// rows are the rows of a table that have a name, as sections of their own, and the text of the others.
func (p *page) rows(table *extast.Table) (own []section, rest string) {
	for row := table.FirstChild(); row != nil; row = row.NextSibling() {
		if name := id(row); name != "" {
			var cells []string
			for cell := row.FirstChild().NextSibling(); cell != nil; cell = cell.NextSibling() {
				if text := p.plain(cell); text != "" {
					cells = append(cells, text)
				}
			}
			own = append(own, section{p.path, p.title, name, name, strings.Join(cells, " · ")})
		} else {
			rest += p.plain(row) + " "
		}
	}
	return own, rest
}
