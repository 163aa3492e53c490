package nexudus

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"

	"memberradius/backends"
	"memberradius/internal/nexudustest/standin"
	"memberradius/member"
)

// bubble opens a world inside testing/synctest, where the network is pipes and
// the limits and the time of a page are the product's own.
func bubble(t *testing.T, change func(*standin.Server, *Config)) *world {
	t.Helper()
	w := &world{t: t, space: standin.New(), members: &directory{records: map[string]*member.Record{}}}
	c := Config{URL: "http://127.0.0.1", MemberURL: "http://127.0.0.1", Username: w.space.Username, Password: member.Secret(w.space.Password)}
	w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com", Password: "annas-own"}, "Hot Desk")
	if change != nil {
		change(w.space, &c)
	}
	b, err := c.Open(backends.Deps{Name: "nexudus", Directory: w.members, Synced: w.members.ready})
	if err != nil {
		t.Fatal(err)
	}
	w.backend = b.(*Synced)
	w.backend.admin.transport.DialContext = pipes(t, w.space)
	t.Cleanup(func() { _ = w.backend.Close() })
	return w
}

// pipes serves h on pipes.
func pipes(t *testing.T, h http.Handler) func(context.Context, string, string) (net.Conn, error) {
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	s := &http.Server{Handler: h}
	var served sync.WaitGroup
	served.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		_ = s.Close()
		served.Wait()
	})
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case l.conns <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

type pipeListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (*pipeListener) Addr() net.Addr { return &net.TCPAddr{} }
