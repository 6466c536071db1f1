package main

import (
	"io/fs"
	"os"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v4"

	"pigsty/internal/exporter/collectors"
)

// definitions are collectors as files have them, by branch.
type definitions map[string]*definition

type definition struct {
	Name    string              `yaml:"name,omitempty"`
	Query   string              `yaml:"query,omitempty"`
	Timeout any                 `yaml:"timeout,omitempty"`
	Skip    bool                `yaml:"skip,omitempty"`
	Top     map[string]any      `yaml:"top,omitempty"`
	Metrics []map[string]column `yaml:"metrics,omitempty"`
	Rest    map[string]any      `yaml:",inline"`
}

type column map[string]any

// readTheirs reads the file that pg_exporter's package brings.
func readTheirs(path string) (definitions, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := definitions{}
	return d, yaml.Unmarshal(data, &d)
}

// readOurs reads the collectors that ship with our exporter.
func readOurs() (definitions, error) {
	source := collectors.Source()
	files, err := fs.Glob(source.FS, "*.yml")
	if err != nil {
		return nil, err
	}
	all := definitions{}
	for _, name := range files {
		data, err := fs.ReadFile(source.FS, name)
		if err != nil {
			return nil, err
		}
		if err := yaml.Unmarshal(data, &all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// patience is the timeout of all queries in seconds: one that is cancelled would be cheap.
const patience = 60

// narrow leaves of collectors the metrics of a set. Other columns are discarded, and collectors
// that have none of them are left out.
func (d definitions) narrow(wanted map[string]bool) definitions {
	out := definitions{}
	for branch, def := range d {
		if metrics, any := def.only(branch, wanted); any {
			narrowed := *def
			narrowed.Metrics, narrowed.Timeout = metrics, patience
			out[branch] = &narrowed
		}
	}
	return out
}

// only gives the columns with those discarded that are not wanted, and whether any is.
func (d *definition) only(branch string, wanted map[string]bool) (kept []map[string]column, any bool) {
	prefix := d.Name
	if prefix == "" {
		prefix = branch
	}
	for _, item := range d.Metrics {
		for name, about := range item {
			alias, renamed := about["rename"].(string)
			if !renamed {
				alias = name
			}
			switch {
			case about["usage"] == "LABEL":
			case wanted[prefix+"_"+alias]:
				any = true
			default:
				about = column{"usage": "DISCARD"}
			}
			kept = append(kept, map[string]column{name: about})
		}
	}
	return kept, any
}

var limit = regexp.MustCompile(`LIMIT (\d+);?\s*$`)

// limits gives how many rows collectors return at most, by what their metrics begin with.
func (d definitions) limits() map[string]int {
	out := map[string]int{}
	for branch, def := range d {
		if m := limit.FindStringSubmatch(def.Query); m != nil {
			name := def.Name
			if name == "" {
				name = branch
			}
			out[name], _ = strconv.Atoi(m[1])
		}
	}
	return out
}

// changes turns narrowed collectors of ours into a file that is read after those that ship: what is
// left out is skipped, and where others limit rows we keep as many.
func (d definitions) changes(shipped definitions, limits map[string]int) definitions {
	out := definitions{}
	for branch, def := range shipped {
		narrowed := d[branch]
		if narrowed == nil {
			out[branch] = &definition{Skip: true}
			continue
		}
		change := &definition{Timeout: narrowed.Timeout, Metrics: narrowed.Metrics}
		name := def.Name
		if name == "" {
			name = branch
		}
		if keep := limits[name]; keep > 0 && def.Top != nil {
			change.Top = map[string]any{"keep": keep, "by": def.Top["by"]}
		}
		out[branch] = change
	}
	return out
}

func (d definitions) write(path string) error {
	text, err := yaml.Marshal(d)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
