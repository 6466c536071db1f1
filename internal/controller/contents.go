package controller

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"pigsty/internal/diag"
	"pigsty/internal/inspect"
	"pigsty/internal/model"
	"pigsty/internal/resource/postgres"
)

// contents is what the members of a cluster say of what is in them.
type contents struct {
	cluster *model.PgCluster
	// answers are those of the members that could be asked, by instance.
	answers map[string]*inspect.Instance
	notes   []string // what could not be asked, for people
}

// poolRules are pgBouncer's access rules, as the pgsql module sets them up.
const poolRules = "/etc/pgbouncer/pgb_hba.conf"

// inspect asks members of the cluster that the name is of, or that an instance of that name belongs
// to. shape says what to ask a member for.
func (s *Site) inspect(ctx context.Context, name string, dial Dialer, shape func(*model.PgInstance, *inspect.Query)) (*contents, error) {
	c, err := s.cluster(name)
	if err != nil {
		return nil, err
	}
	fleet := s.Connect(ctx, members(c), dial)
	defer fleet.Leave()
	all := &contents{cluster: c, answers: map[string]*inspect.Instance{}}
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, i := range c.Instances {
		session := fleet.Sessions[i.Node.Addr]
		if session == nil {
			all.notes = append(all.notes, fmt.Sprintf("%s cannot be asked: %v", i.Name, fleet.Lost[i.Node.Addr]))
			continue
		}
		q := instanceQuery(i)
		shape(i, &q)
		group.Go(func() {
			answer, err := session.Inspect(ctx, q)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				all.notes = append(all.notes, fmt.Sprintf("%s cannot be asked: %v", i.Name, err))
			default:
				all.answers[i.Name] = &answer
				all.complain(i.Name, &answer)
			}
		})
	}
	group.Wait()
	slices.Sort(all.notes)
	return all, nil
}

// instanceQuery says where an instance and its pool listen.
func instanceQuery(i *model.PgInstance) inspect.Query {
	q := inspect.Query{Conn: postgres.Conn{Socket: i.Param.PgLocalhost, Port: i.Param.PgPort, User: i.Param.PgDbsu}}
	if i.Param.PgbouncerEnabled {
		q.Pool = i.Param.PgbouncerPort
	}
	return q
}

// complain notes what a member could not tell.
func (c *contents) complain(name string, answer *inspect.Instance) {
	if answer.Error != "" {
		c.notes = append(c.notes, fmt.Sprintf("PostgreSQL of %s cannot be asked: %s", name, answer.Error))
	}
	if answer.Pool != nil && answer.Pool.Error != "" {
		c.notes = append(c.notes, fmt.Sprintf("pgBouncer of %s cannot be asked: %s", name, answer.Pool.Error))
	}
	if answer.ServersError != "" {
		c.notes = append(c.notes, fmt.Sprintf("HAProxy of %s cannot be asked: %s", name, answer.ServersError))
	}
}

// leader is the instance whose answer stands for the cluster: the one that takes writes, or any
// that answers. Its error says that none does.
func (c *contents) leader() (*model.PgInstance, *inspect.Instance, error) {
	var other *model.PgInstance
	for _, i := range c.cluster.Instances {
		answer := c.answers[i.Name]
		if answer == nil || answer.Error != "" {
			continue
		}
		if !answer.Replica {
			return i, answer, nil
		}
		other = i
	}
	if other != nil {
		c.notes = append(c.notes, fmt.Sprintf("nobody leads cluster %s: this is what %s has", c.cluster.Name, other.Name))
		return other, c.answers[other.Name], nil
	}
	return nil, nil, fmt.Errorf("no PostgreSQL of cluster %s can be asked:%s", c.cluster.Name, joinNotes(c.notes))
}

func joinNotes(notes []string) string {
	text := ""
	for _, note := range notes {
		text += "\n  " + note
	}
	return text
}

// place is a position for JSON: empty when it is in no file.
func place(p diag.Pos) string {
	if p.Line == 0 {
		return ""
	}
	return p.String()
}
