package tunnel

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"time"

	"memberradius/eap"
	"memberradius/member"
)

// maxPlain bounds what a peer may say inside the tunnel in one flight, in octets.
const maxPlain = 16 << 10

// A Session is TLS with one peer, in EAP-TLS type-data. It is not safe for use
// by two at once.
type Session struct {
	config *Config
	conn   conn
	tls    *tls.Conn
	run    *coroutine // nil once the handshake has ended
	frame  frame
	// x is that of the packet at work.
	x *eap.Exchange
	// failure is what ends the conversation when the peer has read our alert.
	failure *eap.Turn

	established bool
	err         error // the handshake's
	peer        peer
	keys        keys

	issued   []issue
	recalled *Ticket
	decision eap.Decision // of recalled
}

// An issue is a ticket that the peer was sent. It opens nothing yet.
type issue struct {
	id    TicketID
	state []byte
}

// Start begins a session.
func (c *Config) Start() *Session {
	s := &Session{config: c, frame: frame{versioned: c.Type != eap.TLS}}
	p := c.prepare()
	t := p.tls.Clone()
	t.Time = func() time.Time { return s.x.Now }
	t.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) { return s.hello(h, t), nil }
	if !t.SessionTicketsDisabled {
		t.WrapSession, t.UnwrapSession = s.wrap, s.unwrap
	}
	if c.ClientCertificate && p.identity.Verify != nil {
		verify := p.identity.Verify
		t.VerifyConnection = func(cs tls.ConnectionState) error {
			if err := verify(cs.VerifiedChains); err != nil {
				return &refusedError{err}
			}
			return nil
		}
	}
	s.tls = tls.Server(&s.conn, t)
	s.run = c.Coroutines.get()
	s.run.begin(func(wait func()) {
		s.conn.wait = wait
		s.err = s.tls.Handshake()
		s.conn.wait = nil
	})
	return s
}

// End frees the handshake's coroutine.
func (s *Session) End() {
	if s.run == nil {
		return
	}
	s.conn.closed = true
	if s.run.resume() {
		s.run.stop() // it waits for more than the connection: not to be kept
		s.run = nil
		return
	}
	s.leave()
}

// leave gives the coroutine back: the handshake has ended.
func (s *Session) leave() {
	run := s.run
	s.run = nil
	s.config.Coroutines.put(run)
}

// Where says how far the peer has come.
func (s *Session) Where() string {
	switch {
	case s.established:
		return "inside the tunnel"
	case s.keys.answered:
		return "after this server's certificate: it does not trust it, asks its user, or fragments are lost on the way (MTU)"
	default:
		return "before its ClientHello was whole"
	}
}

// Established says that the handshake has ended well.
func (s *Session) Established() bool { return s.established }

// Sending says that fragments of ours are left: the peer's next packet brings
// out another one, and nothing else.
func (s *Session) Sending() bool { return s.frame.sending() }

// An Event is what came of a packet. Unless it is Ready, Turn goes out.
type Event struct {
	// Ready says that the handshake has ended and the peer's flight is whole:
	// the method goes on, with what the peer said in Plain, perhaps nothing.
	Ready bool
	Plain []byte
	Turn  eap.Turn
}

// Step takes type-data.
func (s *Session) Step(data []byte, x *eap.Exchange) Event {
	s.x = x
	if data == nil {
		return Event{Turn: eap.Turn{Kind: eap.Ask, Data: []byte{flagStart}}}
	}
	flight, whole, err := s.frame.receive(data)
	switch {
	case err != nil:
		return refuse(member.ReasonEAP, err.Error())
	case !whole, s.frame.sending():
		return s.fragment()
	case s.failure != nil:
		return Event{Turn: *s.failure}
	case s.established:
		return s.read(flight)
	case len(flight) == 0:
		return Event{} // an acknowledgement of nothing
	}
	return s.shake(flight)
}

// shake goes on with the handshake.
func (s *Session) shake(flight []byte) Event {
	s.peer.flight(flight)
	s.keys.asked(flight)
	s.conn.in = flight
	run := s.run
	s.run = nil // a panic of the handshake ends the coroutine
	waits := run.resume()
	s.run = run
	s.keys.served(s.conn.out)
	if waits {
		return Event{Turn: s.Flush()}
	}
	s.leave()
	if s.err != nil {
		return s.fail()
	}
	s.established = true
	s.keys.finish(s.tls.ConnectionState(), s.config.Type)
	return s.read(nil)
}

// fail ends a handshake. Where the peer can't read an alert, or has sent one,
// it is over at once; else the alert goes first (RFC 5216 §2.1.3).
func (s *Session) fail() Event {
	fault := s.peer.fault(s.err)
	turn := eap.Turn{Kind: eap.Reject, Result: eap.Result{Fault: fault}}
	out := s.conn.take()
	if s.peer.alerted || !s.keys.answered || len(out) == 0 {
		return Event{Turn: turn}
	}
	s.failure = &turn
	s.frame.send(out)
	return s.fragment()
}

// read takes what the peer said inside the tunnel.
func (s *Session) read(flight []byte) Event {
	if flight != nil {
		s.conn.in = flight
	}
	var plain []byte
	var room [2048]byte
	for {
		n, err := s.tls.Read(room[:])
		plain = append(plain, room[:n]...)
		var nothing empty
		switch {
		case errors.As(err, &nothing):
			return Event{Ready: true, Plain: plain}
		case errors.Is(err, io.EOF):
			return refuse(member.ReasonEAP, "the device closed the tunnel")
		case err != nil:
			s.peer.flight(flight)
			return Event{Turn: eap.Turn{Kind: eap.Reject, Result: eap.Result{Fault: s.peer.fault(err)}}}
		case len(plain) > maxPlain:
			return refuse(member.ReasonEAP, "the device says too much inside the tunnel")
		}
	}
}

func refuse(reason member.Reason, detail string) Event {
	return Event{Turn: eap.Refuse(reason, detail)}
}

func (s *Session) fragment() Event {
	return Event{Turn: eap.Turn{Kind: eap.Ask, Data: s.frame.next(s.x.Room())}}
}

// Write says something inside the tunnel. It goes out with the next Flush.
func (s *Session) Write(plain []byte) error {
	_, err := s.tls.Write(plain)
	return err
}

// SaySuccess has TLS 1.3 say that the login may come in: the octet 0x00, after
// which nothing but EAP-Success may follow (RFC 9190 §2.5, RFC 9427 §3.1). TLS 1.2
// has no word for it.
func (s *Session) SaySuccess() error {
	if !s.TLS13() {
		return nil
	}
	return s.Write([]byte{0})
}

// Waiting says whether there is something to Flush.
func (s *Session) Waiting() bool { return len(s.conn.out) > 0 }

// Flush sends what waits, an empty message where nothing does.
func (s *Session) Flush() eap.Turn {
	s.frame.send(s.conn.take())
	return s.fragment().Turn
}

// TLS13 says whether the session is TLS 1.3.
func (s *Session) TLS13() bool { return s.keys.version == tls.VersionTLS13 }

// Resumed returns what was decided anew where this is a fast reconnect, and how
// the login was proved then.
func (s *Session) Resumed() (d *eap.Decision, how string, ok bool) {
	if s.recalled == nil || !s.tls.ConnectionState().DidResume {
		return nil, "", false
	}
	return &s.decision, s.recalled.How, true
}

// Certificate is the device's, verified; nil where it was not asked for one.
func (s *Session) Certificate() *x509.Certificate {
	if peers := s.tls.ConnectionState().PeerCertificates; len(peers) > 0 {
		return peers[0]
	}
	return nil
}

// Admit makes the tickets that the peer was sent valid. It is called once the
// login is let in and never before (RFC 5281 §7.5, CVE-2017-9148).
func (s *Session) Admit(d *eap.Decision, how string) {
	if s.keys.noEMS {
		return // RFC 7627 §5.3
	}
	born := s.x.Now
	if s.recalled != nil && s.tls.ConnectionState().DidResume {
		born = s.recalled.Born
	}
	for _, i := range s.issued {
		s.config.Tickets.Keep(i.id, &Ticket{Type: s.config.Type, Session: i.state, Decision: *d, How: how, Born: born})
	}
	s.issued = nil
}

// wrap gives the peer a number for a ticket.
func (s *Session) wrap(_ tls.ConnectionState, state *tls.SessionState) ([]byte, error) {
	octets, err := state.Bytes()
	if err != nil {
		return nil, err
	}
	i := issue{state: octets}
	if _, err := io.ReadFull(s.config.random(), i.id[:]); err != nil {
		return nil, err
	}
	s.issued = append(s.issued, i)
	return i.id[:], nil
}

// unwrap opens a ticket: for the method that made it, in its time, and where
// the member may still come in. Else, and never with an error, which would end
// the handshake, there is a full one.
func (s *Session) unwrap(id []byte, _ tls.ConnectionState) (*tls.SessionState, error) {
	if len(id) != len(TicketID{}) {
		return nil, nil
	}
	t := s.config.Tickets.Recall(TicketID(id))
	if t == nil || t.Type != s.config.Type || s.x.Now.Sub(t.Born) >= s.config.Resume {
		return nil, nil
	}
	state, err := tls.ParseSessionState(slices.Clone(t.Session))
	if err != nil {
		return nil, nil
	}
	d := s.x.Decider.Recall(&t.Decision)
	if d.Verdict != member.Allow {
		return nil, nil
	}
	s.recalled, s.decision = t, d
	return state, nil
}
