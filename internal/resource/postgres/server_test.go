package postgres

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"pigsty/internal/resource"
)

// fakeServer is a PostgreSQL server that only speaks the protocol: it records statements and
// gives prepared answers.
type fakeServer struct {
	mu     sync.Mutex
	down   bool
	opened int
	seen   []string
	// rows answers a statement that contains the key; every value is text.
	rows map[string][]string
	// columns are the names of what rows gives under the same key, where they matter.
	columns map[string][]string
	// fail answers a statement that contains the key with an error.
	fail map[string]pgproto3.ErrorResponse
}

// host is a Host whose server is this one.
func (s *fakeServer) host(t *testing.T) *resource.Host {
	return &resource.Host{Root: t.TempDir(), Dial: func(context.Context, string, string) (net.Conn, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.down {
			return nil, &net.OpError{Op: "dial", Err: errRefused}
		}
		s.opened++
		here, there := net.Pipe()
		go s.serve(there)
		return here, nil
	}}
}

func (s *fakeServer) serve(conn net.Conn) {
	defer conn.Close()
	b := pgproto3.NewBackend(conn, conn)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	b.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	status := byte('I')
	for b.Flush() == nil {
		m, err := b.Receive()
		q, ok := m.(*pgproto3.Query)
		if err != nil || !ok {
			return
		}
		status = s.answer(b, q.String, status)
		b.Send(&pgproto3.ReadyForQuery{TxStatus: status})
	}
}

func (s *fakeServer) answer(b *pgproto3.Backend, sql string, status byte) byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(sql, "-- ping") {
		s.seen = append(s.seen, sql)
	}
	for key, e := range s.fail {
		if strings.Contains(sql, key) {
			b.Send(&e)
			return map[byte]byte{'T': 'E', 'I': 'I', 'E': 'E'}[status]
		}
	}
	for key, values := range s.rows {
		if strings.Contains(sql, key) {
			s.send(b, values, s.columns[key])
		}
	}
	b.Send(&pgproto3.CommandComplete{CommandTag: []byte(strings.ToUpper(strings.Fields(sql + " x")[0]))})
	switch strings.ToLower(sql) {
	case "begin":
		return 'T'
	case "commit", "rollback":
		return 'I'
	}
	return status
}

func (s *fakeServer) send(b *pgproto3.Backend, values, names []string) {
	var fields []pgproto3.FieldDescription
	var row [][]byte
	for i, v := range values {
		name := "c"
		if i < len(names) {
			name = names[i]
		}
		oid := uint32(25) // text
		if v == "t" || v == "f" {
			oid = 16 // bool
		} else if v == "{}" {
			oid = 1009 // text[]
		} else if strings.Trim(v, "0123456789") == "" && v != "" {
			oid = 20 // int8
		}
		fields = append(fields, pgproto3.FieldDescription{Name: []byte(name), DataTypeOID: oid, DataTypeSize: -1, TypeModifier: -1})
		row = append(row, []byte(v))
	}
	b.Send(&pgproto3.RowDescription{Fields: fields})
	b.Send(&pgproto3.DataRow{Values: row})
}

func (s *fakeServer) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}
