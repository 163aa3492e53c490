package store

import (
	"context"
	"fmt"

	"memberradius/member"
)

// Get returns a member of backend, her credential included; one that is not
// there is member.ErrUnknown.
func (s *Store) Get(ctx context.Context, backend, login string) (*Entry, error) {
	var e *Entry
	what := among(someEntries, backend, []string{member.FoldString(login)})
	what.shape = shapeEntry
	err := eachRow(ctx, s.db, what, func(r *row) (err error) {
		e, err = r.entry(s.credentials)
		return err
	})
	if err == nil && e == nil {
		err = member.ErrUnknown
	}
	if err != nil {
		return nil, s.explain(fmt.Sprintf("read member %q", login), err)
	}
	return e, nil
}

// Each calls f for every member of backend in the order of the folded logins,
// until f returns an error, which Each returns as it is. f may keep the entry.
func (s *Store) Each(ctx context.Context, backend string, f func(*Entry) error) error {
	var stopped error
	what := selection{query: allEntries, backend: backend, shape: shapeEntry}
	err := eachRow(ctx, s.db, what, func(r *row) error {
		e, err := r.entry(s.credentials)
		if err != nil {
			return err
		}
		stopped = f(e)
		return stopped
	})
	if stopped != nil {
		return stopped
	}
	return s.explain("read the members", err)
}

// Backends returns the names under which members are stored, sorted: a name
// that no [[backend]] bears any more keeps its members until they are removed.
func (s *Store) Backends(ctx context.Context) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT DISTINCT backend FROM member ORDER BY backend`)
	if err != nil {
		return nil, s.explain("read the names of backends", err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, s.explain("read the names of backends", err)
		}
		names = append(names, name)
	}
	return names, s.explain("read the names of backends", rows.Err())
}
