package configure

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pigsty/internal/controller"
	"pigsty/internal/fact"
	"pigsty/internal/inventory"
	"pigsty/internal/param"
)

func TestSupportedSystems(t *testing.T) {
	for system, want := range map[string]bool{"debian 13": true, "debian 12": true, "debian 11": false, "debian 14": false, "ubuntu 12": false} {
		var f fact.Node
		if _, err := fmt.Sscan(system, &f.OS, &f.Release); err != nil {
			t.Fatal(err)
		}
		err := supported(f)
		if (err == nil) != want || err != nil && !strings.Contains(err.Error(), system) {
			t.Errorf("%s: %v", system, err)
		}
	}
}

func TestOwnAddress(t *testing.T) {
	for _, c := range []struct{ has, asked, want, problem string }{
		{"127.0.0.1/8 10.0.0.5/24 fe80::1/64 169.254.3.4/16", "", "10.0.0.5", ""},
		{"10.0.0.5/24 10.0.1.5/24", "", "", "choose the one that others reach it by with --ip (10.0.0.5, 10.0.1.5)"},
		{"10.0.0.5/24 10.0.1.5/24", "10.0.1.5", "10.0.1.5", ""},
		{"10.0.0.5/24", "10.0.0.6", "", "10.0.0.6 is not an address of this machine, which has 10.0.0.5"},
		{"127.0.0.1/8 2001:db8::1/64 nonsense", "", "", "no network address besides loopback"},
	} {
		var addresses []fact.Address
		for _, prefix := range strings.Fields(c.has) {
			addresses = append(addresses, fact.Address{Prefix: prefix})
		}
		got, err := choose(addresses, c.asked)
		if got != c.want || (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s, asked for %q: %q, %v", c.has, c.asked, got, err)
		}
	}
}

// Every ready inventory becomes one that is accepted as it is, on this machine's address, with
// no password that anybody has published.
func TestEveryModeBecomesAnInventory(t *testing.T) {
	for _, mode := range Modes() {
		r := &Result{Mode: mode, IP: "192.0.2.7", Profile: "oltp"}
		made := 0
		if err := r.render(func() string { made++; return fmt.Sprint("made", made) }); err != nil {
			t.Fatal(err)
		}
		for _, no := range []string{placeholder + ":", placeholder + "\n", "DBUser.", "password: test", "node_tune: tiny", "pg_conf: tiny"} {
			if strings.Contains(r.Text, no) {
				t.Errorf("%s still says %q", mode, no)
			}
		}
		if !strings.Contains(r.Text, "192.0.2.7: {") || !strings.Contains(r.Text, "pg_conf: oltp.yml") || strings.Count(r.Text, "password: made") != made || made == 0 {
			t.Errorf("%s, %d passwords:\n%s", mode, made, r.Text)
		}
		accept(t, r)
	}
}

func accept(t *testing.T, r *Result) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "site.yml")
	if err := os.WriteFile(path, []byte(r.Text), 0o600); err != nil {
		t.Fatal(err)
	}
	generated := map[string]string{}
	for _, name := range param.Secrets() {
		generated[name] = "generated"
	}
	if _, _, problems := controller.Read(path, inventory.Options{Generated: generated}); problems.HasErrors() {
		t.Errorf("%s: %v", r.Mode, problems.Err())
	}
}

func TestUnknownModeNamesTheOthers(t *testing.T) {
	err := (&Result{Mode: "nose"}).render(nil)
	if err == nil || !strings.Contains(err.Error(), `"nose"`) || !strings.Contains(err.Error(), "single") {
		t.Errorf("%v", err)
	}
}
