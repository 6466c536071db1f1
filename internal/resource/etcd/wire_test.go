package etcd

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/resource"
)

func TestKindsTravel(t *testing.T) {
	api := API{Endpoints: []string{"https://127.0.0.1:2379"}, CA: "/ca.crt", Cert: "/c.crt", Key: "/c.key", Password: "secret"}
	const peerURL = "https://10.10.10.10:2380"
	for id, r := range map[string]resource.Resource{
		"etcd_access:pigsty":       &Access{Store: "pigsty", API: api, Users: []User{{Name: "pg-meta", Password: "secret", Prefix: "/pg/pg-meta/"}}},
		"etcd_data:/data/etcd":     &Data{Path: "/data/etcd", Config: "/etc/default/etcd", Purge: true},
		"etcd_join:etcd-1":         &Join{Member: "etcd-1", PeerURL: peerURL, Cluster: "pigsty", Peers: []string{peerURL}, Data: "/data/etcd", Path: "/i.conf", API: api},
		"etcd_leave:dead":          &Leave{Listed: []string{peerURL}, DeadOnly: true, API: api},
		"etcd_leave:unlisted":      &Leave{Listed: []string{peerURL}, Safeguard: true, API: api},
		"etcd_member:etcd-1":       &Member{Member: "etcd-1", PeerURL: peerURL, API: api},
		"etcd_quorum:etcd.service": &Quorum{Unit: "etcd.service", PeerURL: peerURL, API: api},
	} {
		if resource.ID(r) != id {
			t.Errorf("%s, want %s", resource.ID(r), id)
		}
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := resource.Decode(r.Kind(), data)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, got); d != "" {
			t.Errorf("%s: %s", id, d)
		}
	}
}
