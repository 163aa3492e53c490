// Package local answers from the members of the embedded store, which are in
// memory: kind = "local".
//
// It does not own the members; it is given a backends.Directory, and members
// come and go by `memberradius member`.
package local

import (
	"context"
	"errors"
	"time"

	"memberradius/backends"
	"memberradius/member"
)

// Config is what a [[backend]] of kind "local" can say: nothing beyond its name.
type Config struct{}

// Open returns the backend over d.Directory.
func (Config) Open(d backends.Deps) (backends.Backend, error) {
	if d.Directory == nil {
		return nil, errors.New("local: there is no embedded store to read members from: set [server] data")
	}
	return &Backend{name: d.Name, directory: d.Directory, now: d.Clock()}, nil
}

// A Backend answers from a Directory. It never has to wait.
type Backend struct {
	name      string
	directory backends.Directory
	now       func() time.Time
}

var (
	_ backends.Backend  = (*Backend)(nil)
	_ backends.Knower   = (*Backend)(nil)
	_ backends.Expecter = (*Backend)(nil)
)

// Ask implements backends.Backend. Its only error is member.ErrUnknown.
func (b *Backend) Ask(_ context.Context, a *member.Attempt) (member.Answer, error) {
	var out member.Answer
	if b.Known(a, &out) == backends.Absent {
		return out, member.ErrUnknown
	}
	return out, nil
}

// Known implements backends.Knower; it is never Unsure. The proof is not
// looked at: the answer brings the credential to check it against.
func (b *Backend) Known(a *member.Attempt, out *member.Answer) backends.Memory {
	r, ok := b.directory.Lookup(a.Login)
	if !ok {
		return backends.Absent
	}
	verdict, reason := r.Member.Judge(a.At(b.now))
	*out = member.Answer{
		Verdict: verdict, Reason: reason,
		Credential: &r.Credential, Member: r.Member, Source: b.name,
	}
	return backends.Found
}

// Expect implements backends.Expecter.
func (b *Backend) Expect(logins []string) { b.directory.Expect(logins) }
