package server

import (
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// backend speaks PostgreSQL's protocol and answers with what a test says. It stands for a server
// that hangs, breaks and changes its mind at the moment a test wants it to.
type backend struct {
	t        *testing.T
	listener net.Listener

	mu        sync.Mutex
	answers   []reply
	conns     map[net.Conn]bool
	opened    map[string]int // connections by database
	most      int            // connections at a time
	asked     map[string]int // queries
	recovery  string
	databases []string
	version   string
	silent    bool        // says nothing any more
	tls       *tls.Config // nil = none
}

// reply is what a query that contains a text gets: rows, an error code, the end of the connection, or
// nothing for ever.
type reply struct {
	contains string
	columns  []string
	rows     [][]string
	code     string
	breaks   bool
	hang     chan struct{} // until it is closed
}

func newBackend(t *testing.T) *backend {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{t: t, listener: l, conns: map[net.Conn]bool{}, opened: map[string]int{}, asked: map[string]int{}, recovery: "f", version: "17.11 (Debian)"}
	t.Cleanup(b.close)
	go b.accept()
	return b
}

func (b *backend) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.conns[conn] = true
		b.most = max(b.most, len(b.conns))
		b.mu.Unlock()
		go b.serve(conn)
	}
}

// cut breaks every connection.
func (b *backend) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		c.Close()
	}
}

func (b *backend) close() {
	b.listener.Close()
	b.cut()
}

// change does something to what the server says.
func (b *backend) change(do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do()
}

func (b *backend) times(contains string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for sql, times := range b.asked {
		if strings.Contains(sql, contains) {
			n += times
		}
	}
	return n
}

func (b *backend) serve(conn net.Conn) {
	defer func() {
		conn.Close()
		b.mu.Lock()
		delete(b.conns, conn)
		b.mu.Unlock()
	}()
	p := pgproto3.NewBackend(conn, conn)
	start, err := p.ReceiveStartupMessage()
	if err != nil {
		return
	}
	if _, wanted := start.(*pgproto3.SSLRequest); wanted {
		b.secure(conn)
		return
	}
	m, ok := start.(*pgproto3.StartupMessage)
	if !ok {
		return // a cancel request
	}
	b.mu.Lock()
	b.opened[m.Parameters["database"]]++
	version, silent := b.version, b.silent
	b.mu.Unlock()
	if silent {
		_, _ = conn.Read(make([]byte, 1)) // until the client goes away
		return
	}
	p.Send(&pgproto3.AuthenticationOk{})
	p.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: version})
	p.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{1, 2, 3, 4}})
	p.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if p.Flush() == nil {
		b.talk(p)
	}
}

// secure answers who asks for TLS and then goes away.
func (b *backend) secure(conn net.Conn) {
	b.mu.Lock()
	config := b.tls
	b.asked["TLS"]++
	b.mu.Unlock()
	if config == nil {
		_, _ = conn.Write([]byte("N"))
		return
	}
	if _, err := conn.Write([]byte("S")); err == nil {
		_, _ = tls.Server(conn, config).Read(make([]byte, 1)) // the handshake, and until the client goes away
	}
}

func (b *backend) talk(p *pgproto3.Backend) {
	statements := map[string]string{}
	current := ""
	for {
		msg, err := p.Receive()
		if err != nil {
			return
		}
		switch m := msg.(type) {
		case *pgproto3.Query:
			if b.breaks(m.String) {
				return
			}
			b.answer(p, m.String, true)
			p.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		case *pgproto3.Parse:
			statements[m.Name] = m.Query
			p.Send(&pgproto3.ParseComplete{})
		case *pgproto3.Describe:
			p.Send(&pgproto3.ParameterDescription{})
			p.Send(b.describe(b.find(statements[m.Name])))
		case *pgproto3.Bind:
			current = statements[m.PreparedStatement]
			p.Send(&pgproto3.BindComplete{})
		case *pgproto3.Execute:
			if b.breaks(current) {
				return
			}
			b.answer(p, current, false)
		case *pgproto3.Sync:
			p.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		case *pgproto3.Terminate:
			return
		}
		if p.Flush() != nil {
			return
		}
	}
}

func (b *backend) describe(r reply) pgproto3.BackendMessage {
	d := &pgproto3.RowDescription{}
	for _, c := range r.columns {
		d.Fields = append(d.Fields, pgproto3.FieldDescription{Name: []byte(c), DataTypeOID: pgtype.TextOID, DataTypeSize: -1})
	}
	return d
}

// find gives the answer to a query: a test's, or what every server knows.
func (b *backend) find(sql string) reply {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.answers {
		if strings.Contains(sql, a.contains) {
			return a
		}
	}
	switch {
	case strings.Contains(sql, "pg_is_in_recovery"):
		return reply{columns: []string{"r"}, rows: [][]string{{b.recovery}}}
	case strings.Contains(sql, "datname FROM pg_database"):
		r := reply{columns: []string{"datname"}}
		for _, name := range b.databases {
			r.rows = append(r.rows, []string{name})
		}
		return r
	case strings.Contains(sql, "pg_namespace"):
		return reply{columns: []string{"name", "schema"}, rows: [][]string{{"public", ""}, {"pg_stat_statements", "monitor"}}}
	case strings.HasPrefix(sql, "SHOW VERSION"):
		return reply{columns: []string{"version"}, rows: [][]string{{"PgBouncer 1.24.1"}}}
	}
	return reply{}
}

// breaks tells whether a query is answered with the end of the connection, and counts it then.
func (b *backend) breaks(sql string) bool {
	if !b.find(sql).breaks {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked[sql]++
	return true
}

func (b *backend) answer(p *pgproto3.Backend, sql string, simple bool) {
	r := b.find(sql)
	b.mu.Lock()
	b.asked[sql]++
	silent := b.silent
	b.mu.Unlock()
	if silent && r.hang == nil {
		r.hang = make(chan struct{})
		b.t.Cleanup(func() { close(r.hang) })
	}
	if r.hang != nil {
		<-r.hang
	}
	if r.code != "" {
		p.Send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: r.code, Message: "no"})
		return
	}
	if simple && len(r.columns) > 0 {
		p.Send(b.describe(r))
	}
	for _, row := range r.rows {
		d := &pgproto3.DataRow{}
		for _, v := range row {
			d.Values = append(d.Values, []byte(v))
		}
		p.Send(d)
	}
	p.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
}
