package hba

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const rules = `
# pigsty's own, shortened
local all postgres peer
local replication postgres peer
local all all scram-sha-256
hostssl replication replicator 10.0.0.0/8 scram-sha-256
hostnossl all dbuser_dba all reject
host all +dbrole_readonly 10.10.0.0 255.255.0.0 md5   # read
host shop,"my shop",sameuser "odd ""name" 10.20.0.0/16 trust
host samerole all 10.30.0.1 cert map=x clientcert=verify-full
host /^app_[0-9]+$ /^app_ ::1/128 scram-sha-256
host all all db.example.org trust
host all all samehost ident
host all all samenet password
host all dbuser_dba 0.0.0.0/0 scram-sha-256
`

func TestDecide(t *testing.T) {
	host := []netip.Prefix{netip.MustParsePrefix("10.99.0.5/24")}
	for name, c := range map[string]struct {
		client Client
		method string // none when no rule matches
		line   int
		unsure int
	}{
		"superuser on the socket":          {Client{User: "postgres", Database: "shop"}, "peer", 3, 0},
		"replication is not among all":     {Client{User: "app", Database: "replication"}, "none", 0, 0},
		"replication on the socket":        {Client{User: "postgres", Database: "replication"}, "peer", 4, 0},
		"a user on the socket":             {Client{User: "app", Database: "shop"}, "scram-sha-256", 5, 0},
		"replication over TLS":             {Client{User: "replicator", Database: "replication", Addr: ip("10.1.2.3"), TLS: true}, "scram-sha-256", 6, 0},
		"replication without TLS":          {Client{User: "replicator", Database: "replication", Addr: ip("10.1.2.3")}, "none", 0, 0},
		"administrator without TLS":        {Client{User: "dbuser_dba", Database: "shop", Addr: ip("10.1.2.3")}, "reject", 7, 0},
		"administrator over TLS":           {Client{User: "dbuser_dba", Database: "shop", Addr: ip("10.1.2.3"), TLS: true}, "scram-sha-256", 15, 1},
		"by membership":                    {Client{User: "app", Database: "shop", Addr: ip("10.10.2.3"), Roles: []string{"dbrole_readonly"}}, "md5", 8, 0},
		"the role itself":                  {Client{User: "dbrole_readonly", Database: "shop", Addr: ip("10.10.2.3")}, "md5", 8, 0},
		"another network":                  {Client{User: "app", Database: "shop", Addr: ip("10.11.2.3"), Roles: []string{"dbrole_readonly"}}, "none", 0, 1},
		"a quoted user":                    {Client{User: `odd "name`, Database: "my shop", Addr: ip("10.20.0.1")}, "trust", 9, 0},
		"sameuser":                         {Client{User: `odd "name`, Database: `odd "name`, Addr: ip("10.20.0.1")}, "trust", 9, 0},
		"samerole":                         {Client{User: "app", Database: "team", Addr: ip("10.30.0.1"), Roles: []string{"team"}}, "cert", 10, 0},
		"not samerole":                     {Client{User: "app", Database: "shop", Addr: ip("10.30.0.1")}, "none", 0, 1},
		"regular expressions":              {Client{User: "app_7", Database: "app_12", Addr: ip("::1")}, "scram-sha-256", 11, 0},
		"not the regular expression":       {Client{User: "app_7", Database: "app_x", Addr: ip("::1")}, "none", 0, 1},
		"samehost after a name":            {Client{User: "app", Database: "shop", Addr: ip("10.99.0.5"), Host: host}, "ident", 13, 1},
		"samenet":                          {Client{User: "app", Database: "shop", Addr: ip("10.99.0.6"), Host: host}, "password", 14, 1},
		"an IPv4 address in an IPv6 frame": {Client{User: "app", Database: "shop", Addr: ip("::ffff:10.99.0.6"), Host: host}, "password", 14, 1},
		"nobody":                           {Client{User: "app", Database: "shop", Addr: ip("192.0.2.1")}, "none", 0, 1},
	} {
		v := Decide(Parse(rules), c.client)
		method, line := "none", 0
		if v.Rule != nil {
			method, line = v.Rule.Method, v.Rule.Line
		}
		if method != c.method || line != c.line || len(v.Unsure) != c.unsure {
			t.Errorf("%s: %s by line %d, %d unsure; want %s by line %d, %d", name, method, line, len(v.Unsure), c.method, c.line, c.unsure)
		}
	}
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestParse(t *testing.T) {
	want := []Rule{
		{
			Line: 1, Text: "host samerole all 10.30.0.1 cert map=x clientcert=verify-full", Type: "host", Databases: []string{"samerole"}, Users: []string{"all"},
			Address: "10.30.0.1", Method: "cert", Options: []string{"map=x", "clientcert=verify-full"},
		},
		{Line: 2, Text: "host all all", Type: "host", Error: "it has too few words"},
		{Line: 3, Text: "host a b 10.0.0.0 255.0.0.0 md5", Type: "host", Databases: []string{"a"}, Users: []string{"b"}, Address: "10.0.0.0", Netmask: "255.0.0.0", Method: "md5"},
	}
	got := Parse("host samerole all 10.30.0.1 cert map=x clientcert=verify-full\nhost all all\nhost a b 10.0.0.0 255.0.0.0 md5\n\n# no\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A rule that cannot be read decides nothing.
func TestErrorsMatchNobody(t *testing.T) {
	if v := Decide([]Rule{{Type: "local", Databases: []string{"all"}, Users: []string{"all"}, Method: "trust", Error: "x"}}, Client{User: "a", Database: "b"}); v.Rule != nil {
		t.Errorf("%+v", v.Rule)
	}
}
