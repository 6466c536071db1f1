package model_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pigsty/internal/golden"
	"pigsty/internal/inventory"
	"pigsty/internal/model"
	"pigsty/internal/param"
)

// What is wrong with an inventory, or will surprise, is told with its place.
func TestProblems(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			inv, problems := inventory.Parse(filepath.Base(file), text, inventory.Options{})
			if problems.Add(param.Check(inv)...); len(problems) > 0 {
				t.Fatalf("wrong before there is a model: %v", problems)
			}
			_, problems = model.Build(inv)
			var b strings.Builder
			if err := problems.Write(&b); err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, strings.TrimSuffix(file, ".yml")+".want", b.String())
		})
	}
}
