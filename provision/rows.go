package provision

import (
	"context"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/store"
)

// rows calls f for the rows that a list concerns, and returns the number by
// which Apply knows that nobody wrote since.
func (r *Runner) rows(ctx context.Context, l *list, f func(context.Context, *store.Kept, *member.Credential) error) (int64, error) {
	s, name := r.c.Store, r.c.Backend
	meet := func(k *store.Kept) error { return f(ctx, k, nil) }
	if l.everything && r.c.Secrecy == backends.Brought {
		return r.opened(ctx, f)
	}
	if l.everything {
		return s.Kept(ctx, name, meet)
	}
	logins, ids := l.lookups()
	met := map[string]bool{}
	once := func(k *store.Kept) error {
		if folded := foldedOf(k); !met[folded] {
			met[folded] = true
			return meet(k)
		}
		return nil
	}
	seen, err := s.KeptOf(ctx, name, logins, once)
	if err != nil {
		return 0, err
	}
	// Whoever writes between the two makes Apply refuse: it goes by the first.
	_, err = s.KeptByID(ctx, name, ids, once)
	return seen, err
}

// opened calls f for every row with its credential, to be compared with the one
// that the record brings.
func (r *Runner) opened(ctx context.Context, f func(context.Context, *store.Kept, *member.Credential) error) (int64, error) {
	s, name := r.c.Store, r.c.Backend
	seen, err := s.KeptOf(ctx, name, nil, func(*store.Kept) error { return nil })
	if err != nil {
		return 0, err
	}
	return seen, s.Each(ctx, name, func(e *store.Entry) error {
		c := &e.Credential
		k := &store.Kept{
			Member: e.Member, Email: e.Email, Lapsed: e.Lapsed, Created: e.Created, Updated: e.Updated,
			HasCredential: c.Password != "" || c.NTHash != nil || c.Argon2id != "",
		}
		return f(ctx, k, c)
	})
}
