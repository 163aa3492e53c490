package peer

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
)

// A method takes what follows the type of a request, and returns what follows
// that of the response.
type method interface {
	answer(data []byte) ([]byte, error)
	// missing says what must still come before an EAP-Success; "" when nothing must.
	missing() string
	// msk returns the 64 octets of RFC 3748 §7.10; nil before all is proved.
	msk() []byte
}

// A Peer is one login. It belongs to one goroutine; Close it at the end.
type Peer struct {
	record
	config  Config
	method  method
	tls     *tlsMethod // the same, where the method has a tunnel
	offered []Type
	begun   bool

	last     byte // Identifier of the last request
	heard    bool // there was one
	lastSize int  // of our last packet
	ended    Code // Success or Failure, once one came
}

// New returns a peer that has said nothing yet.
func New(c Config) (*Peer, error) {
	p := &Peer{config: c}
	p.step = StepIdentity
	if err := p.config.complete(); err != nil {
		return nil, err
	}
	if c.Method == MSCHAPv2 {
		p.method = &alone{mschapv2{record: &p.record, config: &p.config}}
	} else {
		p.tls = newTLSMethod(&p.config, &p.record)
		p.method = p.tls
	}
	return p, nil
}

// Close ends what runs. No other method may be called afterwards but those
// that tell what was found.
func (p *Peer) Close() {
	if p.tls != nil {
		p.tls.tunnel.stop()
	}
}

// Config returns the peer's settings with all defaults filled in.
func (p *Peer) Config() Config { return p.config }

// Identity returns the response to the identity request that an access point
// asks by itself, with the Identifier that it chose.
func (p *Peer) Identity(identifier byte) []byte {
	p.last, p.heard = identifier, true
	return p.send(Packet{Response, identifier, TypeIdentity, []byte(p.config.outer())})
}

// OuterIdentity is what the identity response says, and the access point
// repeats as User-Name.
func (p *Peer) OuterIdentity() string { return p.config.outer() }

func (p *Peer) send(response Packet) []byte {
	b := response.Append(nil)
	p.lastSize = len(b)
	return b
}

// Answer takes a packet of the server and returns what to send, nil after a
// success or failure. An error ends the login: the server broke the protocol,
// or ErrStopped; Diagnose tells more.
func (p *Peer) Answer(packet []byte) ([]byte, error) {
	response, err := p.answer(packet)
	if err != nil {
		p.blame(PartyServer, "the server broke the protocol at %s: %s", p.step, err)
	}
	return response, err
}

func (p *Peer) answer(packet []byte) ([]byte, error) {
	request, err := ParsePacket(packet)
	if err != nil {
		return nil, err
	}
	if limit := p.config.limit(); len(packet) > limit {
		p.fault("an EAP packet of %d octets is longer than the %d of Framed-MTU and 1,024", len(packet), limit)
	}
	switch request.Code {
	case Success, Failure:
		p.end(request)
		return nil, nil
	case Response:
		return nil, fmt.Errorf("peer: %w: the server sends an EAP-Response", errMalformed)
	}
	if p.heard && request.Identifier == p.last {
		p.fault("a new EAP-Request has the Identifier %d of the one before (RFC 3748 §4.1)", p.last)
	}
	if p.ended != 0 {
		return nil, fmt.Errorf("peer: %w: an EAP-Request after %s", errMalformed, p.ended)
	}
	p.last, p.heard = request.Identifier, true
	return p.respond(request)
}

func (p *Peer) respond(request Packet) ([]byte, error) {
	response := Packet{Response, request.Identifier, request.Type, nil}
	switch request.Type {
	case TypeIdentity:
		response.Data = []byte(p.config.outer())
	case TypeNotification:
		p.say(string(request.Data))
	case TypeNak:
		return nil, fmt.Errorf("peer: %w: the server requests a Nak", errMalformed)
	case p.config.Method.kind():
		if !p.begun {
			p.begun, p.step = true, StepMethod
			p.offered = append(p.offered, request.Type)
		}
		var err error
		if response.Data, err = p.method.answer(request.Data); err != nil {
			return nil, err
		}
	default:
		return p.nak(response)
	}
	return p.send(response), nil
}

// nak asks for our method instead (RFC 3748 §5.3).
func (p *Peer) nak(response Packet) ([]byte, error) {
	if p.begun {
		return nil, fmt.Errorf("peer: %w: the server changes from %s to %s in the midst of it", errMalformed, p.config.Method.kind(), response.Type)
	}
	p.step = StepMethod
	p.offered = append(p.offered, response.Type)
	if response.Type == TypeExpanded {
		// Vendor 0, type Nak; then vendor 0 and the type that is wanted (§5.3.2).
		response.Data = []byte{0, 0, 0, 0, 0, 0, byte(TypeNak), byte(TypeExpanded), 0, 0, 0, 0, 0, 0, byte(p.config.Method.kind())}
	} else {
		response.Type, response.Data = TypeNak, []byte{byte(p.config.Method.kind())}
	}
	return p.send(response), nil
}

// end takes the server's verdict.
func (p *Peer) end(verdict Packet) {
	if p.heard && verdict.Identifier != p.last {
		p.fault("%s has Identifier %d, the response before it %d (RFC 3748 §4.2)", verdict.Code, verdict.Identifier, p.last)
	}
	p.ended = verdict.Code
	if verdict.Code == Failure {
		return
	}
	if missing := p.method.missing(); missing != "" {
		p.fault("EAP-Success comes before %s", missing)
		return
	}
	p.step = StepResult
}

// Verdict is the EAP-Success or EAP-Failure that came, 0 before.
func (p *Peer) Verdict() Code { return p.ended }

// MSK returns the master session key of 64 octets (RFC 3748 §7.10): the access
// point gets its first half as MS-MPPE-Recv-Key, the second as MS-MPPE-Send-Key.
// It is nil before all is proved, and secret.
func (p *Peer) MSK() []byte { return p.method.msk() }

// SessionID returns the Session-Id (RFC 5247 §1.4) that EAP-Key-Name carries;
// nil before the handshake is done, and without a tunnel.
func (p *Peer) SessionID() []byte {
	if p.tls == nil {
		return nil
	}
	return p.tls.tunnel.keys.session
}

// Faults says in words what a strict device would object to so far.
func (p *Peer) Faults() []string { return p.faults }

// Message is what the server said to the person, "" where it said nothing.
func (p *Peer) Message() string { return p.message }

// Offered returns the methods that the server requested, in their order.
func (p *Peer) Offered() []Type { return p.offered }

// Step is how far the login came.
func (p *Peer) Step() Step { return p.step }

// A Tunnel is what a login's TLS came to.
type Tunnel struct {
	Version, CipherSuite uint16
	Curve                tls.CurveID
	Resumed              bool
	// Certificates are the server's chain, its own first.
	Certificates []*x509.Certificate
	// Bound says that PEAP's Crypto-Binding was right on both sides.
	Bound bool
}

// Tunnel returns the state of the TLS handshake, nil where there is none that
// has ended well.
func (p *Peer) Tunnel() *Tunnel {
	if p.tls == nil || !p.tls.tunnel.done || p.tls.tunnel.err != nil {
		return nil
	}
	s := &p.tls.tunnel.state
	t := &Tunnel{s.Version, s.CipherSuite, s.CurveID, s.DidResume, s.PeerCertificates, false}
	if phase, ok := p.tls.phase.(*peap); ok {
		t.Bound = phase.bound
	}
	return t
}

func (p *Peer) resumed() bool { return p.tls != nil && p.tls.tunnel.state.DidResume }

// sawCertificate says whether the server's part of the handshake came whole.
func (p *Peer) sawCertificate() bool { return p.tls != nil && p.tls.tunnel.wire.version != 0 }
