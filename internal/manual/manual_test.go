package manual

import (
	"encoding/json"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every page is listed, every link leads somewhere, and no page has what the site would leave out.
func TestDocumentationIsSound(t *testing.T) {
	for _, problem := range read().problems {
		t.Error(problem)
	}
}

var (
	references = regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	elementID  = regexp.MustCompile(` id="([^"]+)"`)
	requested  = regexp.MustCompile(`<(?:script|img|link|iframe|source)[^>]* (?:src|href)="([^"]*)"`)
)

// As a browser sees it: what a page refers to is there, anchors included, and it asks no other host.
func TestSiteIsClosed(t *testing.T) {
	files := Files()
	for name, text := range files {
		if path.Ext(name) != ".html" {
			continue
		}
		for _, m := range references.FindAllStringSubmatch(text, -1) {
			to, err := url.Parse(m[1])
			if err != nil || to.Scheme != "" {
				continue // links out of the documentation; what is requested is looked at below
			}
			target := name
			if to.Path != "" {
				target = path.Join(path.Dir(name), to.Path)
			}
			if target == ".." {
				continue // the portal's home page, where the site is in a folder of
			}
			there, ok := files[target]
			if !ok {
				t.Errorf("%s refers to %s, which is not there", name, m[1])
			}
			if to.Fragment != "" && !has(there, to.Fragment) {
				t.Errorf("%s refers to %s, which has no such place", name, m[1])
			}
		}
		for _, m := range requested.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "//") && !strings.HasPrefix(m[1], "data:") {
				t.Errorf("%s has browsers ask for %s", name, m[1])
			}
		}
	}
	for _, name := range []string{"manual.css", "manual.js"} {
		if strings.Contains(files[name], "//") && regexp.MustCompile(`(?:url\(|import|fetch\()['"]?(?:https?:)?//`).MatchString(files[name]) {
			t.Errorf("%s has browsers ask others", name)
		}
	}
}

func has(page, id string) bool {
	for _, m := range elementID.FindAllStringSubmatch(page, -1) {
		if m[1] == id {
			return true
		}
	}
	return false
}

// The pages are those of the repository, whole.
func TestEveryPageIsThere(t *testing.T) {
	files := Files()
	for _, folder := range []string{"docs", "docs/alerts", "docs/commands", "bench/results"} {
		pages, err := filepath.Glob(filepath.Join("../..", folder, "*.md"))
		if err != nil || len(pages) == 0 {
			t.Fatalf("%s: %d pages, %v", folder, len(pages), err)
		}
		for _, source := range pages {
			name := strings.TrimSuffix(filepath.Base(source), ".md")
			if name == "README" {
				name = "index"
			}
			to := strings.TrimPrefix(path.Join(strings.Replace(folder, "bench/results", "measured", 1), name+".html"), "docs/")
			text, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			title, _, _ := strings.Cut(strings.TrimPrefix(string(text), "# "), "\n")
			if page := files[to]; !strings.Contains(page, "<title>"+title+" · Pigsty</title>") {
				t.Errorf("%s has no page %s with the title %q", source, to, title)
			}
		}
	}
}

// Links to files that only the repository has leave their text.
func TestLinkToSourceIsTextAlone(t *testing.T) {
	page := Files()["node.html"]
	if strings.Contains(page, "internal/distro/tables\"") {
		t.Error("a page links to a source file")
	}
}

// A parameter is found by its name, at its row.
func TestParametersAreFound(t *testing.T) {
	var all []section
	if err := json.Unmarshal([]byte(Files()["search.json"]), &all); err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.Head != "nginx_home" || s.Page != "parameters.html" {
			continue
		}
		if !strings.Contains(s.Text, "/www") || !has(Files()["parameters.html"], s.ID) {
			t.Errorf("%+v", s)
		}
		return
	}
	t.Errorf("the search does not know nginx_home, of %d sections", len(all))
}

func BenchmarkSite(b *testing.B) {
	for b.Loop() {
		if s := read(); len(s.files()) < 100 {
			b.Fatal("pages are missing")
		}
	}
}
