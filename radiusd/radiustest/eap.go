package radiustest

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"memberradius/radiusd/radiustest/peer"
)

// EAP is how a device is set up: what it has inside a tunnel, whom it trusts,
// how it cuts its packets.
type EAP = peer.Options

// eapRound is the method of one request of a conversation.
const eapRound Method = "eap round"

// maxRounds bounds a conversation: 4,096 octets of certificates in fragments of
// 60 need some 80.
const maxRounds = 256

// A round is what one request of a conversation carries.
type round struct {
	message, state []byte
	mtu            int
	// msk and name are known from the last round on.
	msk, name []byte
}

// proveEAP adds a round's attributes, and notes the keys that an Accept must have.
func (e *expectation) proveEAP(p *Packet, r *round) {
	p.Add(typeFramedMTU, binary.BigEndian.AppendUint32(nil, uint32(r.mtu)))
	if len(r.message) == 0 {
		p.Add(typeEAPMessage, nil) // EAP-Start (RFC 3579 §2.1)
	}
	for part := range slices.Chunk(r.message, maxValue) {
		p.Add(typeEAPMessage, part)
	}
	if r.state != nil {
		p.Add(typeState, r.state)
	}
	e.accept(r.msk, r.name)
}

// accept notes what an Access-Accept must say of an MSK (RFC 3580 §3.16), if
// there is one yet.
func (e *expectation) accept(msk, name []byte) {
	const half = 32
	if len(msk) >= 2*half {
		e.recvKey, e.sendKey = msk[:half], msk[half:2*half]
	}
	e.keyName = name
}

// A Conversation is what an EAP login came to.
type Conversation struct {
	// Outer is the identity outside the tunnel, which was the User-Name.
	Outer string
	// Rounds is how many requests were answered, Largest the longest EAP packet
	// of the server in octets.
	Rounds, Largest int
	// Offered are the methods that the server requested, in their order.
	Offered []peer.Type
	// Step is how far it came.
	Step peer.Step
	// Tunnel is the TLS inside, nil where there was no handshake, or none that ended well.
	Tunnel *peer.Tunnel
	// Message is what the server said to the person.
	Message string
	// Diagnosis says why it failed, and whose fault that is; nil after an Access-Accept.
	Diagnosis *peer.Diagnosis
}

// An EAPError says that a conversation broke off: the server fell silent (then
// its cause is a *NoReplyError) or broke the protocol.
type EAPError struct {
	Conversation *Conversation
	Cause        error
}

// Error returns the diagnosis and the cause.
func (e *EAPError) Error() string {
	if d := e.Conversation.Diagnosis; d != nil {
		return fmt.Sprintf("radiustest: EAP: %s (round %d): %v", d.Text, e.Conversation.Rounds+1, e.Cause)
	}
	return fmt.Sprintf("radiustest: EAP: round %d: %v", e.Conversation.Rounds+1, e.Cause)
}

// Unwrap returns the cause.
func (e *EAPError) Unwrap() error { return e.Cause }

var (
	errConversation = errors.New("radiustest: an EAP login is a conversation of several requests: NAS.Do holds it")
	errRounds       = errors.New("radiustest: the conversation does not end")
)

// A dialog is a conversation in work.
type dialog struct {
	nas     *NAS
	request Request // of the next round
	peer    *peer.Peer
	faults  []string
	tries   int
	found   *Conversation
}

// converse logs in by EAP.
func (n *NAS) converse(ctx context.Context, r *Request) (*Reply, error) {
	begin := n.now()
	d, err := n.newDialog(r)
	if err != nil {
		return nil, err
	}
	defer d.peer.Close()
	reply, err := d.run(ctx)
	if err != nil {
		return nil, d.broken(err)
	}
	reply.Tries, reply.Took = d.tries, n.now().Sub(begin)
	return d.finish(reply), nil
}

func (n *NAS) newDialog(r *Request) (*dialog, error) {
	c := peer.Config{
		Method: peer.Method(r.Method), Login: r.Login, Password: r.Password,
		ChallengeName: r.ChallengeName, Rand: n.random(), Now: n.Now,
	}
	if r.EAP != nil {
		c.Options = *r.EAP
	}
	p, err := peer.New(c)
	if err != nil {
		return nil, fmt.Errorf("radiustest: %w", err)
	}
	d := &dialog{nas: n, request: *r, peer: p, found: &Conversation{Outer: p.OuterIdentity()}}
	d.request.Method, d.request.Login = eapRound, d.found.Outer
	d.request.round = &round{mtu: p.Config().MTU}
	return d, nil
}

// run asks and answers until the server has decided.
func (d *dialog) run(ctx context.Context) (*Reply, error) {
	if !d.peer.Config().Start {
		var identifier [1]byte
		if _, err := io.ReadFull(d.nas.random(), identifier[:]); err != nil {
			return nil, fmt.Errorf("radiustest: EAP identifier: %w", err)
		}
		d.request.round.message = d.peer.Identity(identifier[0])
	}
	for range maxRounds {
		reply, err := d.nas.ask(ctx, &d.request)
		if err != nil {
			return nil, err
		}
		d.found.Rounds++
		d.tries += reply.Tries
		d.note(reply.Faults)
		message := eapMessage(reply)
		d.found.Largest = max(d.found.Largest, len(message))
		var response []byte
		if message != nil {
			response, err = d.peer.Answer(message)
		}
		switch {
		case reply.Code != AccessChallenge:
			return reply, nil
		case err != nil:
			return nil, err
		case response == nil:
			return nil, fmt.Errorf("%w: an Access-Challenge without EAP-Request", ErrMalformed)
		}
		r := &round{message: response, mtu: d.request.round.mtu, msk: d.peer.MSK(), name: d.peer.SessionID()}
		if states := reply.Values(typeState); len(states) > 0 {
			r.state = states[0]
		}
		d.request.round = r
	}
	return nil, errRounds
}

// note keeps each fault once: most of them come in every round.
func (d *dialog) note(faults []string) {
	for _, fault := range faults {
		if !slices.Contains(d.faults, fault) {
			d.faults = append(d.faults, fault)
		}
	}
}

func (d *dialog) summary(end peer.End) *Conversation {
	c := d.found
	c.Offered, c.Step, c.Tunnel, c.Message = d.peer.Offered(), d.peer.Step(), d.peer.Tunnel(), d.peer.Message()
	c.Diagnosis = d.peer.Diagnose(end)
	return c
}

func (d *dialog) finish(reply *Reply) *Reply {
	d.note(d.peer.Faults())
	reply.Faults = d.faults
	end := peer.Accepted
	if reply.Code != AccessAccept {
		end = peer.Rejected
	}
	reply.EAP = d.summary(end)
	return reply
}

func (d *dialog) broken(err error) error {
	end := peer.Accepted
	var silence *NoReplyError
	if errors.As(err, &silence) {
		end = peer.Unanswered
	}
	return &EAPError{d.summary(end), err}
}

// eapMessage returns the EAP packet of a reply, nil where it has none (RFC 3579 §3.1).
func eapMessage(r *Reply) []byte { return slices.Concat(r.Values(typeEAPMessage)...) }

// readEAP checks a reply of a conversation against RFC 3579.
func (s *Sent) readEAP(r *Reply) {
	message := eapMessage(r)
	s.checkVerdict(r, message)
	if !r.Signed {
		r.fault("a reply with EAP-Message has no Message-Authenticator (RFC 3579 §3.2)")
	}
	if len(message) > 0 && r.Message != "" {
		r.fault("Reply-Message stands beside EAP-Message (RFC 3579 §2.6.5)")
	}
	if states := len(r.Values(typeState)); states > 1 || states == 0 && r.Code == AccessChallenge {
		r.fault("an %s has %d State attributes (RFC 2865 §5.24)", r.Code, states)
	}
	if !consecutive(r) {
		r.fault("the EAP-Message attributes do not follow one another (RFC 3579 §3.1)")
	}
	keys := len(r.VendorValues(vendorMicrosoft, typeMSMPPESendKey)) + len(r.VendorValues(vendorMicrosoft, typeMSMPPERecvKey))
	switch {
	case r.Code != AccessAccept && keys > 0:
		r.fault("an %s gives session keys away", r.Code)
	case r.Code != AccessAccept:
	case keys == 0:
		r.fault("the Access-Accept has no MPPE keys: the access point can't encrypt (RFC 3580 §3.16)")
	default:
		s.readKeys(r)
		s.readKeyName(r)
	}
}

// checkVerdict objects to the wrong EAP packet in a reply (RFC 3579 §2.6.3).
func (s *Sent) checkVerdict(r *Reply, message []byte) {
	want := map[Code]peer.Code{AccessChallenge: peer.Request, AccessAccept: peer.Success, AccessReject: peer.Failure}[r.Code]
	if len(message) == 0 {
		r.fault("an %s has no EAP-Message: the device waits for %s (RFC 3579 §2.6.3)", r.Code, want)
	} else if got := peer.Code(message[0]); got != want {
		r.fault("an %s carries %s instead of %s (RFC 3579 §2.6.3)", r.Code, got, want)
	}
}

// consecutive says whether the EAP-Message attributes stand together.
func consecutive(r *Reply) bool {
	last, at, together := -1, 0, true
	_ = walk(r.Raw[headerSize:], func(kind byte, _ []byte) {
		if kind == typeEAPMessage {
			together = together && (last < 0 || last == at-1)
			last = at
		}
		at++
	})
	return together
}

// readKeyName compares EAP-Key-Name (RFC 4072 §2.8), where there is one.
func (s *Sent) readKeyName(r *Reply) {
	for _, name := range r.Values(typeEAPKeyName) {
		if s.expect.keyName == nil || subtle.ConstantTimeCompare(name, s.expect.keyName) != 1 {
			r.fault("EAP-Key-Name is not this login's Session-Id (RFC 5247 §1.4)")
		}
	}
}

// Resumed says whether the TLS session of an earlier login was resumed.
func (c *Conversation) Resumed() bool { return c.Tunnel != nil && c.Tunnel.Resumed }
