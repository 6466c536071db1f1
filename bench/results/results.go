// Package results is what was measured, for the documentation that the program carries.
package results

import "embed"

// Files are the reports, in Markdown.
//
//go:embed *.md
var Files embed.FS
