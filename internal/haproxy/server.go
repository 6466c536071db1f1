package haproxy

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Server is a server of a backend.
type Server struct {
	Backend, Name string
	Status        string // up, down, up 1/3, drain, maint, no check …
	Backup        bool
	Weight        int
	Sessions      int // at present
	Since         int // seconds in this status
	// Check is the last check's answer, such as "L7OK 200"; empty when it is not checked. One that is
	// under way has no number.
	Check string
}

// Up tells whether the server gets new sessions.
func (s Server) Up() bool { return strings.HasPrefix(s.Status, "up") }

// readServers reads the table that HAProxy gives, in the CSV of its management guide.
func readServers(text string) ([]Server, error) {
	table := csv.NewReader(strings.NewReader(text))
	table.FieldsPerRecord = -1
	head, err := table.Read()
	if err != nil {
		return nil, fmt.Errorf("read HAProxy's answer: %w", err)
	}
	var all []Server
	for {
		record, err := table.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read HAProxy's answer: %w", err)
		}
		row := map[string]string{}
		for n, name := range head {
			if n < len(record) {
				row[strings.TrimPrefix(name, "# ")] = record[n]
			}
		}
		if name := row["svname"]; name != "FRONTEND" && name != "BACKEND" && name != "" {
			all = append(all, Server{
				Backend: row["pxname"], Name: name, Status: strings.ToLower(row["status"]), Backup: row["bck"] == "1",
				Weight: number(row["weight"]), Sessions: number(row["scur"]), Since: number(row["lastchg"]),
				Check: check(row["check_status"], row["check_code"]),
			})
		}
	}
}

// number reads a column that may be empty, which is no number and counts as 0.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// check is the last check's answer. One that is under way has a star before its predecessor's, and
// no code.
func check(status, code string) string {
	if code == "0" {
		code = ""
	}
	return strings.TrimSpace(strings.TrimPrefix(status, "* ") + " " + code)
}
