package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pigsty/internal/controller"
	"pigsty/internal/engine"
)

// planFile is a plan kept on disk: what was to be done, where, and a digest to tell whether it
// is still the same.
type planFile struct {
	Version   int    `json:"pigsty_plan"`
	Inventory string `json:"inventory"` // absolute path
	// Extra are the names of what -e set. Values may be secret, and are given again.
	Extra   []string           `json:"extra,omitempty"`
	Request controller.Request `json:"request"`
	Digest  string             `json:"digest"`
	Plan    *engine.Plan       `json:"plan"`
}

const planFileVersion = 1

// writePlanFile keeps a plan of the work.
func (a *app) writePlanFile(path string, work *controller.Work, request controller.Request, p *engine.Plan) error {
	inventory, err := filepath.Abs(a.inventory)
	if err != nil {
		return err
	}
	digest, err := work.Digest(p)
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(planFile{planFileVersion, inventory, a.extraNames(), request, digest, p}, "", "  ")
	if err != nil {
		return err
	}
	// 0600: a plan holds no secret, but tells much about the site.
	return os.WriteFile(path, append(data, '\n'), 0o600)
}

// extraNames are the parameters that -e sets.
func (a *app) extraNames() []string {
	var names []string
	for _, e := range a.extra {
		name, _, _ := strings.Cut(e, "=")
		names = append(names, name)
	}
	return names
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

// adopt makes the command line say what it said when the plan was made. A plan brings its own
// request: one that is given beside it would be passed over, and so is refused.
func (a *app) adopt(kept *planFile, f *applyFlags) error {
	if f.request.Limit != "" || len(f.request.Modules) > 0 || f.request.Switchover {
		return errors.New("the plan says what it is for and how: leave out --limit, --module and --switchover, or make a new plan")
	}
	if !slices.Equal(a.extraNames(), kept.Extra) {
		return fmt.Errorf("the plan was made with -e for %q: give the same again, or make a new plan", kept.Extra)
	}
	a.inventory, f.request = kept.Inventory, kept.Request
	f.yes = true
	return nil
}
