package peer

import (
	"crypto/tls"
	"sync"
)

// A Session keeps what the next login needs to resume the TLS session of the
// last one (RFC 5216 §2.1.2, RFC 9190 §2.1.2). The zero value holds none. It
// belongs to one login at a time, and is not bound to a method, so that a test
// can offer a server a session that it must not take.
type Session struct {
	mu    sync.Mutex
	state *tls.ClientSessionState
}

var _ tls.ClientSessionCache = (*Session)(nil)

// Get implements tls.ClientSessionCache.
func (s *Session) Get(string) (*tls.ClientSessionState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state, s.state != nil
}

// Put implements tls.ClientSessionCache; a nil state forgets the session.
func (s *Session) Put(_ string, state *tls.ClientSessionState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
}

// Held says whether there is a session to resume.
func (s *Session) Held() bool {
	_, held := s.Get("")
	return held
}

// Copy returns a second Session that holds the same: for tests that use one twice.
func (s *Session) Copy() *Session {
	state, _ := s.Get("")
	return &Session{state: state}
}
