package postgres

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/resource"
)

func TestKindsTravel(t *testing.T) {
	api := PatroniAPI{URL: "https://10.10.10.11:8008", CA: "/etc/pki/ca.crt", User: "postgres", Password: "secret"}
	conn := Conn{Socket: "/var/run/postgresql", Port: 5433, User: "pg"}
	for id, r := range map[string]resource.Resource{
		"pg_ready:pg-test-1":        &Ready{Instance: "pg-test-1", Conn: conn, Role: Replica, Patroni: api, Timeout: time.Hour},
		"pg_role:app":               &Role{Conn: conn, Role: "app", Verifier: scramForTest, ConnLimit: -1, Parameters: map[string]string{"a": "b"}},
		"pg_database:app":           &Database{Conn: conn, Database: "app", AllowConn: true, Extensions: []Extension{{Name: "hstore"}}},
		"pg_privileges:app":         &Privileges{Conn: conn, Database: "app", SchemaUsers: map[string][]string{"monitor": {"m"}}},
		"pg_baseline:meta/cmdb.sql": &Baseline{Conn: conn, Database: "meta", Script: "cmdb.sql", SQL: "SELECT 1"},
		"patroni_config:pg-test":    &PatroniConfig{Cluster: "pg-test", API: api, Desired: map[string]any{"ttl": 30.0, "gone": nil}},
		"patroni_file:/etc/p.yml":   &PatroniFile{Path: "/etc/p.yml", Content: "a: b", Mode: 0o640, API: api},
		"patroni_restart:pg-test":   &PatroniRestart{Cluster: "pg-test", API: api, Method: RestartBySwitchover},
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
