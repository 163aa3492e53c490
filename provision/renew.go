package provision

import (
	"context"
	"errors"
	"fmt"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/store"
)

// ErrNotGenerated says that a password is not ours to make.
var ErrNotGenerated = errors.New("the passwords of this backend come from its member system: change it there")

// ErrEnded says that a membership has ended.
var ErrEnded = errors.New("her membership has ended")

// Renew gives a member a new password, and tells her by the event "password".
// The one of before is worth nothing from then on. A login that is not there is
// member.ErrUnknown; ErrEnded and ErrNotGenerated say what they say.
func (r *Runner) Renew(ctx context.Context, login string) error {
	if r.c.Secrecy != backends.Generated {
		return fmt.Errorf("provision: new password for %q: %w", login, ErrNotGenerated)
	}
	var change Change
	var err error
	for range attempts {
		if change, err = r.renew(ctx, login); !errors.Is(err, store.ErrChanged) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("provision: new password for %q: %w", login, err)
	}
	r.announce(ctx, []Change{change})
	return nil
}

func (r *Runner) renew(ctx context.Context, login string) (Change, error) {
	var k *store.Kept
	seen, err := r.c.Store.KeptOf(ctx, r.c.Backend, []string{login}, func(found *store.Kept) error {
		k = found
		return nil
	})
	switch {
	case err != nil:
		return Change{}, err
	case k == nil:
		return Change{}, member.ErrUnknown
	case !k.Lapsed.IsZero():
		return Change{}, ErrEnded
	}
	e := store.Edit{Fields: store.FieldCredential, Record: member.Record{Member: member.Member{Login: k.Member.Login}}}
	if e.Record.Credential, err = r.newCredential(); err != nil {
		return Change{}, err
	}
	_, err = r.c.Store.Apply(ctx, r.c.Backend, &store.Changes{
		Seen: seen, Edits: []store.Edit{e}, Events: r.events(nil, k.Member.Login, k.Email, store.EventPassword),
	})
	return Change{Kind: Changes, Login: k.Member.Login, Name: k.Member.Name, What: "password", Access: true}, err
}

// newCredential makes a password and its NT hash.
func (r *Runner) newCredential() (member.Credential, error) {
	password, err := NewPassword(r.c.Rand)
	c := member.Credential{Password: password}
	r.hash(&c)
	return c, err
}

// hash makes the NT hash of a password that has none yet.
func (r *Runner) hash(c *member.Credential) {
	if r.c.NTHash == nil || c.Password == "" || c.NTHash != nil {
		return
	}
	hash := r.c.NTHash(string(c.Password))
	c.NTHash = &hash
}

// events adds what a member with something new to know is told, and her system.
func (r *Runner) events(all []store.Event, login, email, kind string) []store.Event {
	if r.c.Mail && email != "" {
		all = append(all, store.Event{Backend: r.c.Backend, Login: login, Kind: kind, Next: r.now()})
	}
	if r.c.WriteBack && r.c.Secrecy == backends.Generated {
		all = append(all, store.Event{Backend: r.c.Backend, Login: login, Kind: store.EventWriteBack, Next: r.now()})
	}
	return all
}
