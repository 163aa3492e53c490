package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"memberradius/member"
)

// Kept is what the store holds of a member, without her credential: what a sync
// compares with.
type Kept struct {
	// Member is as it was written: its ValidUntil is her own.
	Member member.Member
	Email  string
	// Lapsed is when her membership ended; zero: she is a member.
	Lapsed time.Time
	// HasCredential says that there is something to prove her by.
	HasCredential bool
	// Created and Updated are when she was added and last written.
	Created, Updated time.Time
}

// Kept calls f for every member of backend, in no order, until f returns an
// error, which Kept returns as it is. f may keep what it is given; plans, terms
// and other texts are shared by many, and read-only. counter is what
// Changes.Seen takes; 0 where the backend was never written. f must not write
// to the store.
func (s *Store) Kept(ctx context.Context, backend string, f func(*Kept) error) (counter int64, err error) {
	return s.kept(ctx, backend, []selection{{query: allKept, backend: backend}}, f)
}

// KeptOf is Kept for the members with these logins; who is not there is left out.
func (s *Store) KeptOf(ctx context.Context, backend string, logins []string, f func(*Kept) error) (counter int64, err error) {
	folded := make([]string, len(logins))
	for i := range logins {
		folded[i] = member.FoldString(logins[i])
	}
	return s.kept(ctx, backend, parts(someKept, backend, folded), f)
}

// KeptByID is Kept for the members with these ids of their member system.
func (s *Store) KeptByID(ctx context.Context, backend string, ids []string, f func(*Kept) error) (counter int64, err error) {
	return s.kept(ctx, backend, parts(keptByID, backend, slices.Clone(ids)), f)
}

// parts returns the selections that bring the members with these keys, each once.
func parts(query, backend string, keys []string) []selection {
	slices.Sort(keys)
	var all []selection
	for part := range slices.Chunk(slices.Compact(keys), chunk) {
		all = append(all, among(query, backend, part))
	}
	return all
}

func (s *Store) kept(ctx context.Context, backend string, selections []selection, f func(*Kept) error) (int64, error) {
	// The number is read before the rows: a write in between makes Apply refuse.
	counter, err := s.counter(ctx, backend)
	if err != nil {
		return 0, s.explain("look for changes", err)
	}
	shared := newTexts()
	var stopped error
	for _, what := range selections {
		what.shape = shapeKept
		err := eachRow(ctx, s.db, what, func(r *row) error {
			k := &Kept{
				Email: r.email, Lapsed: instant(r.lapsed), HasCredential: r.provable,
				Created: instantOf(r.created), Updated: instantOf(r.updated),
			}
			if err := r.member(&k.Member, shared); err != nil {
				return err
			}
			stopped = f(k)
			return stopped
		})
		if stopped != nil {
			return counter, stopped
		}
		if err != nil {
			return 0, s.explain(fmt.Sprintf("read the members of backend %q", backend), err)
		}
	}
	return counter, nil
}

// KeptAfter is Kept in the order of the folded logins, for those after login;
// "" is all of them. For whoever pages through many.
func (s *Store) KeptAfter(ctx context.Context, backend, login string, f func(*Kept) error) error {
	page := selection{query: allKept + ` AND m.folded > ? ORDER BY m.folded`, backend: backend, args: []any{member.FoldString(login)}}
	_, err := s.kept(ctx, backend, []selection{page}, f)
	return err
}
