package fact

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func put(t *testing.T, root, path, text string) {
	t.Helper()
	path = filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func debian(t *testing.T) string {
	root := t.TempDir()
	for path, text := range map[string]string{
		"etc/os-release":           "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie\nID=debian\n",
		"proc/sys/kernel/hostname": "pg-test-1.example.org\n",
		"proc/cpuinfo":             "processor\t: 0\nmodel name\t: x\n\nprocessor\t: 1\n\nprocessor\t: 2\n",
		"proc/meminfo":             "MemTotal:        2048 kB\nMemFree:         1024 kB\n",
		"run/addresses":            "eth0 10.10.10.11/24\neth0 10.10.10.3/32\n",
	} {
		put(t, root, path, text)
	}
	if err := os.Symlink("/usr/share/zoneinfo/Asia/Shanghai", filepath.Join(root, "etc/localtime")); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestGather(t *testing.T) {
	root := debian(t)
	got, err := Gather(context.Background(), Query{PgData: "/pg/data", EtcdDataDir: "/data/etcd", DataDir: "/data/not/yet"}, root)
	if err != nil {
		t.Fatal(err)
	}
	if got.Disk <= 0 {
		t.Errorf("disk %d", got.Disk)
	}
	got.Disk = 0
	want := Node{
		Hostname: "pg-test-1", OS: "debian", Release: 13, Codename: "trixie", Arch: runtime.GOARCH, CPUs: 3, Memory: 2 << 20,
		Addresses: []Address{{"eth0", "10.10.10.11/24"}, {"eth0", "10.10.10.3/32"}}, Timezone: "Asia/Shanghai",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestGatherThisMachine(t *testing.T) {
	got, err := Gather(context.Background(), Query{DataDir: "/data"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if got.Hostname == "" || got.OS == "" || got.CPUs < 1 || got.Memory <= 0 || got.Disk <= 0 {
		t.Errorf("%+v", got)
	}
}

func TestContainer(t *testing.T) {
	for path, text := range map[string]string{
		"run/systemd/container": "systemd-nspawn\n",
		".dockerenv":            "",
		"proc/1/environ":        "PATH=/bin\x00container=lxc\x00",
	} {
		root := t.TempDir()
		if InContainer(root) {
			t.Error("an empty root is a container")
		}
		put(t, root, path, text)
		if !InContainer(root) {
			t.Errorf("%s is not noticed", path)
		}
	}
}

func TestUnrecognisableSystem(t *testing.T) {
	for _, text := range []string{"", "NAME=x\n"} {
		root := t.TempDir()
		put(t, root, "etc/os-release", text)
		if _, err := Gather(context.Background(), Query{}, root); err == nil || !strings.Contains(err.Error(), "cannot be recognised") {
			t.Errorf("error %v", err)
		}
	}
}

func TestReleaseNumbers(t *testing.T) {
	for text, want := range map[string]int{"VERSION_ID=\"13\"": 13, "VERSION_ID=24.04": 24, "": 0} {
		root := debian(t)
		put(t, root, "etc/os-release", "ID=x\n"+text+"\n")
		if got, err := Gather(context.Background(), Query{}, root); err != nil || got.Release != want {
			t.Errorf("%q: %d, %v", text, got.Release, err)
		}
	}
}

func TestTimezoneWithoutLink(t *testing.T) {
	root := t.TempDir()
	if got := tree(root).timezone(); got != "UTC" {
		t.Error(got)
	}
	put(t, root, "etc/timezone", "Europe/Berlin\n")
	if got := tree(root).timezone(); got != "Europe/Berlin" {
		t.Error(got)
	}
}

func TestDataDirectories(t *testing.T) {
	root := debian(t)
	q := Query{PgData: "/pg/data", EtcdDataDir: "/data/etcd"}
	for _, path := range []string{"pg/data", "data/etcd"} {
		if err := os.MkdirAll(filepath.Join(root, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := Gather(context.Background(), q, root); err != nil || n.PgData || n.EtcdData {
		t.Errorf("empty folders count: %+v, %v", n, err)
	}
	put(t, root, "pg/data/PG_VERSION", "17")
	put(t, root, "data/etcd/member/snap/db", "")
	if n, err := Gather(context.Background(), q, root); err != nil || !n.PgData || !n.EtcdData {
		t.Errorf("data is not seen: %+v, %v", n, err)
	}
}

// patroni is an API that answers as Patroni does.
func patroniAPI(role string, status int) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/patroni", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		w.Write([]byte(`{"state":"running","role":"` + role + `","timeline":3,"server_version":170011,"patroni":{"version":"4.0.5"}}`))
	})
	mux.HandleFunc("/cluster", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"members":[{"name":"pg-test-1","role":"replica"},{"name":"pg-test-2","role":"leader"}],"scope":"pg-test"}`))
	})
	return mux
}

func TestPatroni(t *testing.T) {
	tests := []struct {
		name   string
		serve  func(http.Handler) *httptest.Server
		role   string
		status int
		want   *Patroni
	}{
		{"primary over TLS", httptest.NewTLSServer, "primary", 200, &Patroni{"primary", "running", 3, "pg-test-2", "4.0.5"}},
		{"replica answers 503", httptest.NewTLSServer, "replica", 503, &Patroni{"replica", "running", 3, "pg-test-2", "4.0.5"}},
		{"plain HTTP and the old name", httptest.NewServer, "master", 200, &Patroni{"primary", "running", 3, "pg-test-2", "4.0.5"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := test.serve(patroniAPI(test.role, test.status))
			defer server.Close()
			_, text, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(server.URL, "https://"), "http://"), ":")
			port, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			root := debian(t)
			q := Query{PgData: "/pg/data", PatroniPort: port}
			if n, err := Gather(context.Background(), q, root); err != nil || n.Patroni != nil {
				t.Errorf("asked although there is no data: %+v, %v", n.Patroni, err)
			}
			put(t, root, "pg/data/PG_VERSION", "17")
			n, err := Gather(context.Background(), q, root)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, n.Patroni); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSilentPatroni(t *testing.T) {
	if p := askPatroni(context.Background(), 1); p != nil {
		t.Errorf("%+v", p)
	}
}
