package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"memberradius/backends"
	"memberradius/member"
)

// Config is the part of a [[backend]] that is kind "file"'s own.
type Config struct {
	// Path is the file of members, relative to the configuration file.
	Path string `toml:"path"`
}

// A File answers from the members of a file. Close it.
type File struct {
	name    string
	path    string
	members atomic.Pointer[roster]
	now     func() time.Time
	ntHash  func(password string) member.Hash // nil: not made ahead
	tell    func(backends.Finding)
	changed func()
	stop    chan struct{}
	done    chan struct{}
	closed  atomic.Bool
}

var (
	_ backends.Backend = (*File)(nil)
	_ backends.Knower  = (*File)(nil)
	_ backends.Checker = (*File)(nil)
)

// A roster is all members of one version of the file, by folded login. It is never changed.
type roster struct {
	byLogin map[string]*member.Record
	read    time.Time
}

// Open reads the file and watches it. A file that can't be read, or that has a
// fault, is an error that names the file, the line, the key and what to do.
func (c Config) Open(d backends.Deps) (backends.Backend, error) {
	if c.Path == "" {
		return nil, &backends.KeyError{Key: "path", Err: errors.New(`is missing; write path = "members.toml"`)}
	}
	f := &File{
		name: d.Name, path: d.Path(c.Path), now: d.Clock(), ntHash: d.NTHash, tell: d.Say, changed: d.Differ,
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	w := &watcher{file: f}
	if err := w.first(); err != nil {
		return nil, &backends.KeyError{Key: "path", Err: err}
	}
	go w.run(pollEvery)
	return f, nil
}

// Close ends the watch over the file. The members stay.
func (f *File) Close() error {
	if !f.closed.Swap(true) {
		close(f.stop)
	}
	<-f.done
	return nil
}

// Known implements backends.Knower: it always knows.
func (f *File) Known(a *member.Attempt, out *member.Answer) backends.Memory {
	var buf [3 * member.MaxLogin]byte
	r, ok := f.members.Load().byLogin[string(member.Fold(buf[:0], a.Login))]
	if !ok {
		return backends.Absent
	}
	*out = member.Answer{Member: r.Member, Source: f.name}
	out.Verdict, out.Reason = r.Member.Judge(a.At(f.now))
	if r.Credential != (member.Credential{}) {
		out.Credential = &r.Credential
	}
	return backends.Found
}

// Ask implements backends.Backend.
func (f *File) Ask(_ context.Context, a *member.Attempt) (member.Answer, error) {
	var out member.Answer
	if f.Known(a, &out) != backends.Found {
		return member.Answer{}, member.ErrUnknown
	}
	return out, nil
}

// Members returns how many members there are now.
func (f *File) Members() int { return len(f.members.Load().byLogin) }

// Check implements backends.Checker: it says where the file on disk can't be
// used, and who else may read it.
func (f *File) Check(context.Context) []backends.Finding {
	var found []backends.Finding
	text, err := read(f.path)
	if err == nil {
		_, err = decode(f.path, f.name, text)
	}
	if err != nil {
		found = append(found, backends.Finding{Wrong: true, What: err.Error(), Remedy: "correct the file; it is read again at once"})
	}
	if info, err := os.Stat(f.path); err == nil && info.Mode().Perm()&0o004 != 0 && f.sensitive() {
		found = append(found, backends.Finding{
			What:   fmt.Sprintf("%s holds passwords or NT hashes, and every user of this host may read it", f.path),
			Remedy: "chmod o-r " + f.path,
		})
	}
	return found
}

// sensitive says whether the file holds what proves somebody as it stands.
func (f *File) sensitive() bool {
	for _, r := range f.members.Load().byLogin {
		if r.Credential.Password != "" || r.Credential.NTHash != nil {
			return true
		}
	}
	return false
}
