package golden

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pigsty/internal/resource"
)

// thing has a field of every shape that resources use.
type thing struct {
	Title    string            `json:"title"`
	Mode     fs.FileMode       `json:"mode"`
	Impact   resource.Impact   `json:"impact"`
	Words    []string          `json:"words"`
	Options  map[string]string `json:"options"`
	Parts    []part            `json:"parts"`
	Only     *part             `json:"only"`
	Empty    []part            `json:"empty"`
	On       bool              `json:"on"`
	Maybe    *bool             `json:"maybe"`
	Any      map[string]any    `json:"any"`
	Password string            `json:"password"`
	Users    map[string]string `json:"users" secret:"true"`
}

type part struct {
	Name string `json:"name"`
	Word string `json:"word" secret:"true"`
	Size int    `json:"size"`
}

func (*thing) Kind() string                                                   { return "thing" }
func (t *thing) Name() string                                                 { return t.Title }
func (*thing) Diff(context.Context, *resource.Host) (*resource.Change, error) { return nil, nil }
func (*thing) Apply(context.Context, *resource.Host) error                    { return nil }
func step(node string, r resource.Resource) resource.Step {
	return resource.Step{Node: node, Module: "m", Resource: r}
}

func example() []resource.Step {
	plain := step("b", &resource.File{Path: "/etc/motd", Content: "one\n\n  two", Mode: 0o600})
	plain.Branch = "side"
	plain.After = []resource.Ref{{Node: "a", ID: "thing:t"}}
	plain.With = resource.Ref{Node: "c", ID: "thing:v"}
	plain.Notify = []resource.Notification{resource.RestartOf("x.service")}
	return []resource.Step{
		step("b", &resource.File{Path: "/etc/key", Content: "hunter2\n", Secret: true}),
		step("a", &thing{
			Title: "t", Mode: 0o750, Impact: resource.Restart, Words: []string{"x", "y"},
			Options: map[string]string{"b": "2", "a": "1", "token": "hunter3"},
			Parts:   []part{{Name: "p", Word: "hunter4", Size: 3}}, Only: &part{Name: "q"},
			On: true, Maybe: new(bool), Any: map[string]any{"n": 1, "list": []any{true, "x"}}, Password: "hunter5", Users: map[string]string{"u": "hunter6"},
		}),
		plain,
	}
}

func TestSteps(t *testing.T) {
	got := Steps(example())
	if strings.Contains(got, "hunter") {
		t.Errorf("a secret shows:\n%s", got)
	}
	Compare(t, "testdata/steps.txt", got)
}

// recorder is a test that may fail without failing the one around it.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) { r.said += args[0].(string) }

func TestCompareTellsTheDifference(t *testing.T) {
	if *update {
		return // it would write the wrong text
	}
	path := filepath.Join(t.TempDir(), "want.txt")
	if err := os.WriteFile(path, []byte("same\nold\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := &recorder{TB: t}
	Compare(r, path, "same\nnew\n")
	if !strings.Contains(r.said, "-old\n+new\n") {
		t.Errorf("said %q", r.said)
	}
}
