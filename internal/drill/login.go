package drill

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/model"
	"pigsty/internal/param"
)

// login is who uses the database, and over what.
type login struct {
	user, password string
	tls            *tls.Config // nil = plain
}

// logins are those of a drill's clients.
type logins struct {
	database string
	admin    login  // straight to PostgreSQL
	pool     *login // through pgBouncer; nil when nobody fits
	said     []string
}

// chooseLogins finds who can write through the services: the administrator straight to PostgreSQL,
// and a business user through the pool, which the administrator may not use.
func chooseLogins(c *model.PgCluster, ca []byte, user, database string) (logins, error) {
	l := logins{database: "postgres", admin: login{user: c.Param.PgAdminUsername, password: c.Param.PgAdminPassword}}
	if c.Param.PgParameters["ssl"] != "off" {
		l.admin.tls = verifying(ca)
	}
	u, db := poolUser(c, user, database)
	switch {
	case user != "" && u == nil:
		return l, fmt.Errorf("user %s cannot be used: it has to be one of pg_users of cluster %s, with pgbouncer: true and a password in the clear", user, c.Name)
	case database != "" && u != nil && db == nil:
		return l, fmt.Errorf("database %s cannot be used: it has to be one of pg_databases of cluster %s that pgBouncer serves and %s may connect to", database, c.Name, u.Name)
	case u == nil || db == nil:
		if database != "" {
			l.database = database
		}
		l.said = []string{"The pool is not measured: no user of the inventory may use pgBouncer with a password that is known, in a database that it serves."}
	default:
		l.database, l.pool = db.Name, &login{user: u.Name, password: u.Password}
		if c.Param.PgbouncerSslmode != "disable" {
			l.pool.tls = verifying(ca)
		}
		l.said = []string{fmt.Sprintf("Clients of the pool are %s, in database %s.", u.Name, db.Name)}
	}
	l.said = append(l.said, fmt.Sprintf("Clients of PostgreSQL itself are %s, in database %s.", l.admin.user, l.database))
	return l, nil
}

// poolUser is the first user and the first database that fit together and have the given names.
func poolUser(c *model.PgCluster, user, database string) (*param.User, *param.Database) {
	var fits *param.User
	for i, u := range c.Param.PgUsers {
		if !u.Pgbouncer || !u.Login || u.State == "absent" || user != "" && u.Name != user || !inTheClear(u.Password) {
			continue
		}
		if fits == nil {
			fits = &c.Param.PgUsers[i]
		}
		for j, db := range c.Param.PgDatabases {
			open := !db.Revokeconn || db.Owner == u.Name
			if db.Pgbouncer && db.Allowconn && db.State != "absent" && open && (database == "" || db.Name == database) {
				return &c.Param.PgUsers[i], &c.Param.PgDatabases[j]
			}
		}
	}
	return fits, nil
}

// inTheClear tells whether one can log in with a password as the inventory has it.
func inTheClear(password string) bool {
	return password != "" && !strings.HasPrefix(password, "SCRAM-SHA-256$") && (!strings.HasPrefix(password, "md5") || len(password) != 35)
}

// verifying wants a certificate of the site's authority. Whose it is does not matter: a service
// leads to any member.
func verifying(ca []byte) *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return &tls.Config{
		InsecureSkipVerify: true, // by name; VerifyConnection checks the rest
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 {
				return errors.New("the server shows no certificate")
			}
			between := x509.NewCertPool()
			for _, c := range s.PeerCertificates[1:] {
				between.AddCert(c)
			}
			_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
			return err
		},
	}
}

// connectPatience bounds the wait for a connection: an address that nobody has says nothing.
const connectPatience = time.Second

// at is how the login connects to an address.
func (l login) at(host string, port int, database string) *pgx.ConnConfig {
	config, err := pgx.ParseConfig("")
	if err != nil {
		panic(err) // nothing in it can be wrong; the environment's part is overwritten
	}
	config.Host, config.Port, config.Database = host, uint16(port), database
	config.User, config.Password = l.user, l.password
	config.TLSConfig, config.Fallbacks = l.tls, nil
	config.ConnectTimeout = connectPatience
	config.RuntimeParams = map[string]string{"application_name": "pigsty drill"}
	return config
}

// wide are the addresses that stand for all of a machine.
var wide = []string{"*", "0.0.0.0", "::"}

// listensEverywhere tells whether a service is on every address of a member.
func listensEverywhere(s *model.Service) bool { return slices.Contains(wide, s.Bind) }
