package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"memberradius/member"
	"memberradius/mschap"
	"memberradius/provision"
	"memberradius/store"
	"memberradius/web/api"
)

// FindToken implements api.Tokens.
func (f apiFront) FindToken(ctx context.Context, presented member.Secret) (*api.Token, error) {
	t, err := f.store().FindToken(ctx, presented)
	if errors.Is(err, store.ErrNoToken) {
		return nil, api.ErrNoToken
	}
	if err != nil {
		return nil, err
	}
	return &api.Token{ID: t.ID, Name: t.Name, Scopes: t.Scopes}, nil
}

// keeps returns the backends whose members are in the store, in the order of
// their names: all, or the one.
func (f apiFront) keeps(only string) (names []string, err error) {
	c := f.config()
	for i := range c.Backends {
		b := &c.Backends[i]
		if kinds()[b.Kind].stored && (only == "" || b.Name == only) {
			names = append(names, b.Name)
		}
	}
	if only != "" && len(names) == 0 {
		return nil, api.ErrUnknown
	}
	slices.Sort(names)
	return names, nil
}

// Each implements api.Members.
func (f apiFront) Each(ctx context.Context, only string, after api.Key, each func(*api.Kept) bool) error {
	names, err := f.keeps(only)
	if err != nil {
		return err
	}
	for _, name := range names {
		from := ""
		switch strings.Compare(name, after.Backend) {
		case -1:
			continue
		case 0:
			from = after.Login
		}
		stopped := errors.New("stopped")
		err := f.store().KeptAfter(ctx, name, from, func(k *store.Kept) error {
			if !each(keptOf(name, k)) {
				return stopped
			}
			return nil
		})
		if errors.Is(err, stopped) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func keptOf(backend string, k *store.Kept) *api.Kept {
	out := &api.Kept{Member: k.Member, Email: k.Email, Lapsed: k.Lapsed, HasCredential: k.HasCredential, Created: k.Created, Updated: k.Updated}
	out.Member.Backend = backend
	return out
}

// Get implements api.Members.
func (f apiFront) Get(ctx context.Context, k api.Key) (*api.Kept, error) {
	if _, err := f.keeps(k.Backend); err != nil || k.Backend == "" {
		return nil, api.ErrUnknown
	}
	var found *api.Kept
	if _, err := f.store().KeptOf(ctx, k.Backend, []string{k.Login}, func(kept *store.Kept) error {
		found = keptOf(k.Backend, kept)
		return nil
	}); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, api.ErrUnknown
	}
	return found, nil
}

// editable returns the backend that takes members from here.
func (f apiFront) editable(name string) (string, error) {
	c := f.config()
	var local []string
	for i := range c.Backends {
		b := &c.Backends[i]
		k := kinds()[b.Kind]
		switch {
		case b.Name == name && k.synced:
			return "", &api.Refusal{Field: "backend", Words: fmt.Sprintf("the members of %q are what its member system says: change them there", name)}
		case b.Name == name && !k.stored:
			return "", &api.Refusal{Field: "backend", Words: fmt.Sprintf("%q keeps no members here", name)}
		case k.stored && !k.synced && (name == "" || b.Name == name):
			local = append(local, b.Name)
		}
	}
	switch {
	case name != "" && len(local) == 0:
		return "", api.ErrUnknown
	case len(local) == 0:
		return "", &api.Refusal{Field: "backend", Words: `no [[backend]] of kind "local" is configured: there is nowhere to add members`}
	case len(local) > 1:
		return "", &api.Refusal{Field: "backend", Words: "name one of " + strings.Join(local, ", ")}
	}
	return local[0], nil
}

// edit is an edit of the API as the store takes it.
func edit(e *api.Edit) *store.Edit {
	out := &store.Edit{Record: member.Record{Member: e.Member, Email: e.Email}}
	for _, pair := range [...]struct {
		from api.Fields
		to   store.Fields
	}{
		{api.FieldName, store.FieldName}, {api.FieldEmail, store.FieldEmail}, {api.FieldPlans, store.FieldPlans},
		{api.FieldTeam, store.FieldTeam}, {api.FieldVLAN, store.FieldVLAN}, {api.FieldValidFrom, store.FieldValidFrom},
		{api.FieldValidUntil, store.FieldValidUntil}, {api.FieldDevices, store.FieldDevices}, {api.FieldDisabled, store.FieldDisabled},
	} {
		if e.Fields&pair.from != 0 {
			out.Fields |= pair.to
		}
	}
	if e.Password != "" {
		setPassword(out, e.Password)
	}
	return out
}

func setPassword(e *store.Edit, password member.Secret) {
	hash := member.Hash(mschap.NTHash(string(password)))
	e.Fields |= store.FieldCredential
	e.Record.Credential = member.Credential{Password: password, NTHash: &hash}
}

// refusedBy turns what the store says of a field into words for the caller.
func refusedBy(e *store.Edit, err error) error {
	for field := store.FieldLogin; field < store.AllFields; field <<= 1 {
		if e.Fields&field == 0 && field != store.FieldLogin {
			continue
		}
		if bad := store.Check(field, &e.Record); bad != nil {
			name := field.String()
			if field == store.FieldPlans {
				name = "plans"
			}
			return &api.Refusal{Field: name, Words: bad.Error()}
		}
	}
	return keyed(err)
}

// Add implements api.Editor.
func (f apiFront) Add(ctx context.Context, e *api.Edit) (k api.Key, made member.Secret, err error) {
	if k.Backend, err = f.editable(e.Member.Backend); err != nil {
		return k, "", err
	}
	k.Login = e.Member.Login
	add := edit(e)
	if e.Password == "" {
		if made, err = provision.NewPassword(rand.Reader); err != nil {
			return k, "", err
		}
		setPassword(add, made)
	}
	if err := f.store().Add(ctx, k.Backend, &add.Record); err != nil {
		add.Fields = store.AllFields
		return k, "", refusedBy(add, err)
	}
	return k, made, f.s.systems.refresh(ctx)
}

// Change implements api.Editor.
func (f apiFront) Change(ctx context.Context, e *api.Edit) error {
	if _, err := f.editable(e.Member.Backend); err != nil {
		return err
	}
	change := edit(e)
	if err := f.store().Edit(ctx, e.Member.Backend, change); err != nil {
		return refusedBy(change, err)
	}
	return f.s.systems.refresh(ctx)
}

// Remove implements api.Editor.
func (f apiFront) Remove(ctx context.Context, k api.Key) error {
	if _, err := f.editable(k.Backend); err != nil {
		return err
	}
	if err := f.store().Remove(ctx, k.Backend, k.Login); err != nil {
		return keyed(err)
	}
	return f.s.systems.refresh(ctx)
}

// Renew implements api.Access.
func (f apiFront) Renew(ctx context.Context, k api.Key) (member.Secret, error) {
	if _, err := f.Get(ctx, k); err != nil {
		return "", err
	}
	password, err := f.renew(ctx, k.Backend, k.Login)
	if errors.Is(err, provision.ErrNotGenerated) || errors.Is(err, provision.ErrEnded) {
		return "", &api.Refusal{Words: err.Error()}
	}
	return password, keyed(err)
}

// renew makes a member a new password, which holds when it returns.
func (f front) renew(ctx context.Context, backend, login string) (member.Secret, error) {
	if runner := f.s.systems.runner(backend); runner != nil {
		if err := runner.Renew(ctx, login); err != nil {
			return "", err
		}
		e, err := f.store().Get(ctx, backend, login)
		if err != nil {
			return "", err
		}
		return e.Credential.Password, nil
	}
	password, err := provision.NewPassword(rand.Reader)
	if err != nil {
		return "", err
	}
	e := &store.Edit{Record: member.Record{Member: member.Member{Login: login}}}
	setPassword(e, password)
	if err := f.store().Edit(ctx, backend, e); err != nil {
		return "", err
	}
	return password, f.s.systems.refresh(ctx)
}

// Link implements api.Access.
func (f apiFront) Link(ctx context.Context, k api.Key) (link member.Secret, until time.Time, err error) {
	if _, err := f.Get(ctx, k); err != nil {
		return "", until, err
	}
	until = time.Now().Add(linkLasts)
	link, err = f.store().MakeLink(ctx, k.Backend, k.Login, until)
	return link, until, keyed(err)
}
