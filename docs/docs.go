// Package docs is the documentation, as the program carries it: package manual makes a web site of
// it, and the portal serves that.
package docs

import "embed"

// Files are the pages, in Markdown, with their pictures, and the JSON schema of inventories.
//
//go:embed *.md *.png *.svg alerts commands schema
var Files embed.FS
