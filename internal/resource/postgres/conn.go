// Package postgres holds the kinds of resources of a PostgreSQL cluster on its members' nodes:
// roles, databases and privileges, spoken for over the server's own socket; the settings and
// restarts that Patroni looks after, through its REST API; and the address that vip-manager puts
// on the primary.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/resource"
)

// Conn says where the node's own PostgreSQL server listens, and as whom to speak to it: over
// its Unix socket, as the operating system user that runs it, who is the database superuser.
type Conn struct {
	Socket string `json:"socket,omitempty"` // folder of the socket; empty = /var/run/postgresql
	Port   int    `json:"port,omitempty"`   // 0 = 5432
	User   string `json:"user,omitempty"`   // operating system user and superuser; empty = postgres
}

// maintenance is the database for what concerns the whole server: it always exists, and
// sessions in it hinder neither CREATE DATABASE nor DROP DATABASE.
const maintenance = "postgres"

// errNoServer means that nothing listens, or that the database is not there: what is wanted of
// it is to be created.
var errNoServer = errors.New("PostgreSQL does not run here")

const connectTimeout = 10 * time.Second

func (c Conn) user() string {
	if c.User == "" {
		return "postgres"
	}
	return c.User
}

func (c Conn) socketPath() string {
	folder, port := c.Socket, c.Port
	if folder == "" {
		folder = "/var/run/postgresql"
	}
	if port == 0 {
		port = 5432
	}
	return filepath.Join(folder, ".s.PGSQL."+strconv.Itoa(port))
}

// session is a session with one database.
type session struct{ *pgx.Conn }

// Close ends the session without waiting for a server that may be gone.
func (s session) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return s.Conn.Close(ctx)
}

func (c Conn) key(database string) string {
	return "pg:" + c.user() + "@" + c.socketPath() + "/" + database
}

// session returns the connection's session with a database. One that was cut, by a restart of
// the server for example, is opened anew.
func (c Conn) session(ctx context.Context, h *resource.Host, database string) (session, error) {
	open := func() (io.Closer, error) { return c.open(ctx, h, database) }
	kept, err := h.Keep(c.key(database), open)
	if err != nil {
		return session{}, err
	}
	if s := kept.(session); s.Ping(ctx) == nil {
		return s, nil
	}
	h.Release(c.key(database))
	if kept, err = h.Keep(c.key(database), open); err != nil {
		return session{}, err
	}
	return kept.(session), nil
}

// leave ends the session with a database, which would hinder copying, moving or dropping it.
func (c Conn) leave(h *resource.Host, database string) { h.Release(c.key(database)) }

// open connects. It is errNoServer when there is nothing to connect to.
func (c Conn) open(ctx context.Context, h *resource.Host, database string) (session, error) {
	return c.openWith(ctx, h, database, sessionSettings())
}

// openWith is open with other settings for the session.
func (c Conn) openWith(ctx context.Context, h *resource.Host, database string, settings map[string]string) (session, error) {
	dial, err := c.dialer(h)
	if errors.Is(err, resource.ErrAbsent) || errors.Is(err, fs.ErrNotExist) {
		return session{}, errNoServer
	}
	if err != nil {
		return session{}, err
	}
	config, err := c.config(h, database)
	if err != nil {
		return session{}, err
	}
	config.DialFunc, config.RuntimeParams = dial, settings
	conn, err := pgx.ConnectConfig(ctx, config)
	switch {
	case err == nil:
		return session{conn}, nil
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED), sqlState(err) == stateNoDatabase:
		return session{}, errNoServer
	}
	return session{}, problem("connect to database "+database, err)
}

func (c Conn) config(h *resource.Host, database string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig("sslmode=disable passfile=/dev/null")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL variables in the agent's environment: %w", err)
	}
	// Given one by one, so that neither the environment nor a hostile name can steer them.
	config.Host, config.Port, config.Fallbacks = filepath.Dir(h.Path(c.socketPath())), 5432, nil
	config.User, config.Password, config.Database = c.user(), "", database
	config.ConnectTimeout = connectTimeout
	// Statements may carry names that no parameter can stand for, and the catalog changes
	// under them: nothing is prepared or cached.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	return config, nil
}

// sessionSettings keep a session from waiting for ever behind somebody's lock, and from being
// misled by what users have put into the database or set for its sessions.
func sessionSettings() map[string]string {
	return map[string]string{
		"application_name": "pigsty",
		"client_encoding":  "UTF8",
		// Only the system's own functions and operators are found without a schema.
		"search_path":                 "pg_catalog",
		"standard_conforming_strings": "on",
		"DateStyle":                   "ISO",
		"TimeZone":                    "UTC",
		"lc_messages":                 "C",
		"statement_timeout":           "10min",
		"lock_timeout":                "15s",
		// A database may be set to make transactions read-only.
		"default_transaction_read_only": "off",
	}
}
