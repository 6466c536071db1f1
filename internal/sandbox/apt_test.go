package sandbox

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHostArchives(t *testing.T) {
	got, err := hostArchives("testdata/apt", "trixie")
	if err != nil {
		t.Fatal(err)
	}
	want := []archive{
		{"http://mirror.example/debian/", "trixie", []string{"main", "contrib"}},
		{"http://security.example/debian-security", "trixie-security", []string{"main"}},
		{"http://second.example/debian", "trixie-updates", []string{"main", "contrib"}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(archive{})); diff != "" {
		t.Errorf("archives (-want +got):\n%s", diff)
	}
}

func TestHostArchivesMissing(t *testing.T) {
	_, err := hostArchives(t.TempDir(), "trixie")
	if err == nil || !strings.Contains(err.Error(), "add a deb line") {
		t.Errorf("without a Debian mirror: %v", err)
	}
}

func TestAptOptionsCarried(t *testing.T) {
	for line, want := range map[string]bool{
		`Acquire::Check-Valid-Until "false";`:             true,
		`Acquire::http::Proxy "http://proxy.example:80";`: true,
		`Acquire::GzipIndexes "true";`:                    false,
		`APT::Architecture "amd64";`:                      false,
	} {
		if got := carried.MatchString(line); got != want {
			t.Errorf("%s is carried over: %v, want %v", line, got, want)
		}
	}
}

// The name of an image changes with everything that determines it.
func TestRecipeHash(t *testing.T) {
	archives := []archive{{"http://mirror.example/debian", "trixie", []string{"main"}}}
	base := hash(newRecipe("trixie", archives, nil))
	if again := hash(newRecipe("trixie", archives, nil)); again != base {
		t.Errorf("the same recipe has two names, %s and %s", base, again)
	}
	for what, other := range map[string]recipe{
		"release":    newRecipe("bookworm", archives, nil),
		"mirror":     newRecipe("trixie", append(archives, archives[0]), nil),
		"apt option": newRecipe("trixie", archives, []string{`Acquire::Check-Date "false";`}),
	} {
		if hash(other) == base {
			t.Errorf("another %s gives the same image name", what)
		}
	}
}
