package fault

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/resource"
)

// cameFrom makes this process a child of one that sshd started for somebody at the address.
func cameFrom(t *testing.T, h *resource.Host, address string) {
	t.Helper()
	write(t, h, fmt.Sprintf("/proc/%d/environ", os.Getpid()), "HOME=/root\x00SUDO_USER=debian\x00")
	write(t, h, fmt.Sprintf("/proc/%d/status", os.Getpid()), "Name:\tpigsty\nPid:\t2\nPPid:\t999999\n")
	environ := "HOME=/home/debian\x00"
	if address != "" {
		environ += "SSH_CONNECTION=" + address + " 40000 10.10.10.11 22\x00"
	}
	write(t, h, "/proc/999999/environ", environ)
	write(t, h, "/proc/999999/status", "Name:\tsudo\nPPid:\t1\n")
}

func TestCutPeers(t *testing.T) {
	c := newCluster(t)
	h, _, commands := newHost(t)
	cameFrom(t, h, "198.51.100.9")
	cut := &Cut{Leader: c.leader(), Fault: CutPeers, Hosts: []string{"198.51.100.2", "198.51.100.3", "127.0.0.1"}, Lasts: 30 * time.Second}
	change, err := cut.Diff(t.Context(), h)
	if err != nil || change.Impact != resource.DataLoss {
		t.Fatalf("%+v, %v", change, err)
	}
	if err := cut.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	heal := base64.StdEncoding.EncodeToString([]byte("rule flush protocol 199\nroute flush table 7676\n"))
	if arm := commands.lines()[0]; !strings.Contains(arm, "StandardInputData="+heal) || !strings.HasSuffix(arm, " -- ip -force -batch -") {
		t.Errorf("armed %q", arm)
	}
	want := `route replace default dev lo table 7676
rule add pref 7676 protocol 199 to 198.51.100.2 lookup 7676
rule add pref 7676 protocol 199 to 198.51.100.3 lookup 7676
`
	if diff := cmp.Diff(want, string(commands.run[1].Stdin)); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestCutDCS(t *testing.T) {
	h, _, commands := newHost(t)
	cut := &Cut{Fault: CutDCS, Hosts: []string{"198.51.100.2"}, Ports: "2379-2380", Lasts: time.Minute}
	if err := cut.Apply(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	want := `route replace default dev lo table 7676
rule add pref 7676 protocol 199 to 198.51.100.2 ipproto tcp dport 2379-2380 lookup 7676
rule add pref 7676 protocol 199 to 198.51.100.2 ipproto tcp sport 2379-2380 lookup 7676
`
	if diff := cmp.Diff(want, string(commands.run[1].Stdin)); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

// Nobody saws off the branch that he sits on.
func TestCutSparesItsCaller(t *testing.T) {
	c := newCluster(t)
	h, _, _ := newHost(t)
	peers := &Cut{Leader: c.leader(), Fault: CutPeers, Hosts: []string{"198.51.100.2"}, Lasts: time.Minute}
	dcs := &Cut{Leader: c.leader(), Fault: CutDCS, Hosts: []string{"198.51.100.2"}, Ports: "2379-2380", Lasts: time.Minute}

	cameFrom(t, h, "198.51.100.2")
	_, err := peers.Diff(t.Context(), h)
	says(t, err, "you come from 198.51.100.2, which is to be cut off")
	if change, err := dcs.Diff(t.Context(), h); err != nil || change.Impact != resource.Switchover {
		t.Errorf("a cut that leaves SSH alone: %+v, %v", change, err)
	}
	cameFrom(t, h, "")
	_, err = peers.Diff(t.Context(), h)
	says(t, err, "run the drill from a machine that is no member")

	cameFrom(t, h, "198.51.100.9")
	peers.Hosts = []string{"127.0.0.1"}
	_, err = peers.Diff(t.Context(), h)
	says(t, err, "runs on this node itself")
	peers.Hosts = []string{"2001:db8::2"}
	_, err = peers.Diff(t.Context(), h)
	says(t, err, "IPv4 alone")
}
