// Package rules holds what Prometheus computes from metrics and whom it wakes: recording and
// alerting rules, as the files that it reads. They are data; docs/alerts explains every alert, and
// the module in the folder test proves all of them.
package rules

import "embed"

//go:embed *.yml
var folder embed.FS

// File is one file of rules, as it is to lie in a folder that rule_files of prometheus.yml names.
type File struct {
	Name string // without its folder: pgsql.yml
	Text string // what Prometheus reads
}

// Files gives all files of rules, by name.
func Files() []File {
	entries, err := folder.ReadDir(".")
	if err != nil {
		panic("rules: " + err.Error()) // what is embedded can always be read
	}
	files := make([]File, 0, len(entries))
	for _, e := range entries {
		text, err := folder.ReadFile(e.Name())
		if err != nil {
			panic("rules: " + err.Error())
		}
		files = append(files, File{Name: e.Name(), Text: string(text)})
	}
	return files
}
