package nexudus

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	"memberradius/backends"
	"memberradius/member"
)

// A Backend answers from the members that were read or pushed before, and
// takes pushes. Close it.
type Backend struct {
	name      string
	config    Config
	login     field
	secret    field // fieldNone: generated or live
	secrecy   backends.Secrecy
	directory backends.Directory
	synced    func() bool
	live      *live // nil: passwords are kept here
	now       func() time.Time
	*teller

	mu sync.Mutex
	// pushed is the time of the last grant for each coworker, as Nexudus had it.
	pushed map[string]time.Time
}

// A Synced is a Backend that can read its space.
type Synced struct {
	*Backend
	admin     *client
	members   *url.URL // where members sign in; nil: unknown
	writeBack field
	rule      rule

	turn    chan struct{} // held by the one Sync under way
	replica *replica      // nil: everything must be read first
}

var (
	_ backends.Backend       = (*Backend)(nil)
	_ backends.Knower        = (*Backend)(nil)
	_ backends.Expecter      = (*Backend)(nil)
	_ backends.Provisioner   = (*Backend)(nil)
	_ backends.Notified      = (*Backend)(nil)
	_ backends.AccessControl = (*Backend)(nil)
	_ backends.Syncer        = (*Synced)(nil)
	_ backends.Checker       = (*Synced)(nil)
	_ backends.Hooker        = (*Synced)(nil)
	_ backends.Writer        = (*Synced)(nil)
)

// Secrecy implements backends.Provisioner.
func (b *Backend) Secrecy() backends.Secrecy { return b.secrecy }

// Close drops the connections that are idle.
func (b *Backend) Close() error {
	if b.live != nil {
		return b.live.close()
	}
	return nil
}

// Close drops the connections that are idle.
func (s *Synced) Close() error {
	s.admin.transport.CloseIdleConnections()
	return s.Backend.Close()
}

// coworker takes over what matters of a row.
func (s *Synced) coworker(row *coworkerRow) *coworker { return readCoworker(row, s.login, s.secret) }

var errUnread = errors.New("no member has been read from Nexudus yet; the first sync begins with the server: see the journal of syncs")

// Ask implements backends.Backend. It answers from memory, and asks Nexudus
// for the one thing that only Nexudus knows: a member's own password.
func (b *Backend) Ask(ctx context.Context, a *member.Attempt) (member.Answer, error) {
	var out member.Answer
	switch b.Known(a, &out) {
	case backends.Absent:
		return member.Answer{}, member.ErrUnknown
	case backends.Found:
		return out, nil
	}
	r, ok := b.directory.Lookup(a.Login)
	if !ok {
		return member.Answer{}, &backends.Error{Class: backends.NotReady, Backend: b.name, Err: errUnread}
	}
	return b.askLive(ctx, a, r)
}

// Known implements backends.Knower. It is Unsure before the first sync, and of
// a password that only Nexudus can check.
func (b *Backend) Known(a *member.Attempt, out *member.Answer) backends.Memory {
	r, ok := b.directory.Lookup(a.Login)
	if !ok {
		if !b.synced() {
			return backends.Unsure
		}
		return backends.Absent
	}
	verdict, reason := r.Member.Judge(a.At(b.now))
	if b.live != nil && verdict == member.Allow && a.Proof.Kind == member.Password && a.Proof.Password != "" {
		return backends.Unsure
	}
	*out = member.Answer{
		Verdict: verdict, Reason: reason,
		Credential: &r.Credential, Member: r.Member, Source: b.name,
	}
	return backends.Found
}

// Expect implements backends.Expecter.
func (b *Backend) Expect(logins []string) { b.directory.Expect(logins) }
