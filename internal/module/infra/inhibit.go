package infra

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

const inhibition = "/etc/prometheus/inhibition.yml"

// inhibited is somebody's configuration of Alertmanager with our rules of inhibition added: which
// alerts say nothing beside others is known to whoever wrote the alerts. A file that has inhibit_rules,
// if only an empty list, stays as it is. So does one that cannot be read: amtool says what is wrong.
func inhibited(own string) string {
	var file yaml.Node
	if err := yaml.Unmarshal([]byte(own), &file); err != nil || len(file.Content) == 0 {
		return own
	}
	top := file.Content[0]
	if top.Kind != yaml.MappingNode || has(top, "inhibit_rules") {
		return own
	}
	ours := templates.Fill(inhibition, nil)
	if top.Style&yaml.FlowStyle == 0 && top.Column == 1 {
		// What people wrote stays where it is, so that messages name its lines.
		return strings.TrimRight(own, "\n") + "\n" + ours
	}
	var added yaml.Node
	if err := yaml.Unmarshal([]byte(ours), &added); err != nil {
		panic("infra: " + err.Error()) // the text is the program's own
	}
	top.Style &^= yaml.FlowStyle
	top.Content = append(top.Content, added.Content[0].Content...)
	text, err := yaml.Marshal(&file)
	if err != nil {
		panic("infra: " + err.Error()) // what was read can be written
	}
	return string(text)
}

// has tells whether a mapping has a key.
func has(mapping *yaml.Node, key string) bool {
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return true
		}
	}
	return false
}
