package cli

import (
	"encoding/json"
	"fmt"
	"os"

	"pigsty/internal/controller"
	"pigsty/internal/engine"
)

// planFile is a plan kept on disk: what was to be done, where, and a digest to tell whether it
// is still the same.
type planFile struct {
	Version   int              `json:"pigsty_plan"`
	Inventory string           `json:"inventory"`
	Extra     []string         `json:"extra,omitempty"`
	Scope     controller.Scope `json:"scope"`
	Digest    string           `json:"digest"`
	Plan      *engine.Plan     `json:"plan"`
}

const planFileVersion = 1

func writePlanFile(path string, a *app, scope controller.Scope, p *engine.Plan) error {
	data, err := json.MarshalIndent(planFile{planFileVersion, a.inventory, a.extra, scope, p.Digest(), p}, "", "  ")
	if err != nil {
		return err
	}
	// 0600: a plan holds no secret, but tells much about the site.
	return os.WriteFile(path, append(data, '\n'), 0o600)
}

func readPlanFile(path string) (*planFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var f planFile
	if err := json.Unmarshal(data, &f); err != nil || f.Version != planFileVersion || f.Plan == nil {
		return nil, fmt.Errorf("%s is not a plan of this version of pigsty: make one with pigsty plan -o %s", path, path)
	}
	return &f, nil
}
