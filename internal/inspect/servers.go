package inspect

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// patience is how long HAProxy may take to answer.
const patience = 2 * time.Second

// askServers asks HAProxy on its socket for the servers of every service.
func askServers(ctx context.Context, socket string) ([]Server, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("HAProxy does not answer: %w", err)
	}
	defer conn.Close()
	if deadline, limited := ctx.Deadline(); limited {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if _, err := io.WriteString(conn, "show stat\n"); err != nil {
		return nil, fmt.Errorf("ask HAProxy: %w", err)
	}
	return readServers(conn)
}

// readServers reads the table that HAProxy gives, in the CSV of its management guide.
func readServers(r io.Reader) ([]Server, error) {
	table := csv.NewReader(io.LimitReader(r, 16<<20))
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
		if row["svname"] != "FRONTEND" && row["svname"] != "BACKEND" && row["svname"] != "" {
			all = append(all, Server{
				Service: row["pxname"], Server: row["svname"], Status: strings.ToLower(row["status"]), Backup: row["bck"] == "1",
				Weight: number(row["weight"]), Sessions: number(row["scur"]), Since: number(row["lastchg"]),
				Check: strings.TrimSpace(row["check_status"] + " " + row["check_code"]),
			})
		}
	}
}
