package eap

import (
	"slices"
	"strings"

	"memberradius/member"
)

// maxInvalid is how many packets that make no sense a dialog bears (RFC 3579
// §2.2: "a small number"; FreeRADIUS and hostapd end it sooner).
const maxInvalid = 5

// maxRounds bounds a dialog: 64 KiB in fragments of 150 octets, both ways.
const maxRounds = 1000

// A Dialog is the authenticator's side of EAP with one peer, from its identity
// to Success or Failure. TTLS and PEAP have one inside. It is not safe for use
// by two at once.
type Dialog struct {
	methods []Method
	// asked says that a Request is out, id its Identifier.
	asked bool
	id    byte
	// identity is the peer's, once it has said it.
	identity   string
	identified bool
	current    Conversation
	kind       Type
	// begun says that the peer has taken part in the current method, so that a
	// Nak is too late (RFC 3748 §5.3.1).
	begun           bool
	last            []byte
	invalid, rounds int
}

// A Step is what a Dialog does next.
type Step struct {
	Kind Kind
	// Packet is what to send: a Request, Success or Failure.
	Packet []byte
	// Again says that Packet is the last Request once more: to a Response that
	// came before, or, where Invalid, to one that makes no sense.
	Again, Invalid bool
	Result         Result
}

// NewDialog returns a dialog that offers methods in this order. id is the
// Identifier that the first Request of ours counts from.
func NewDialog(methods []Method, id byte) *Dialog { return &Dialog{methods: methods, id: id} }

// Begin asks for the identity first, where the peer has not said it unasked.
func (d *Dialog) Begin() Step {
	if d.asked {
		return Step{Kind: Ask, Packet: d.last, Again: true}
	}
	return d.ask(Identity, nil)
}

// Identity is what the peer called itself: a claim.
func (d *Dialog) Identity() string { return d.identity }

// Outstanding is the Identifier of the Request that is out.
func (d *Dialog) Outstanding() byte { return d.id }

// Doing is the type of the method at work; 0 before there is one.
func (d *Dialog) Doing() Type { return d.kind }

// Where says in words how far the peer has come.
func (d *Dialog) Where() string {
	switch l, ok := d.current.(Locator); {
	case !d.identified:
		return "before it said who it is"
	case !d.begun:
		return "when it was offered " + d.kind.String()
	case ok:
		return l.Where()
	default:
		return "in the middle of " + d.kind.String()
	}
}

// Light implements the promise of Light for the next packet: without a method
// at work one begins at the most.
func (d *Dialog) Light() bool {
	if d.current == nil {
		return true
	}
	l, ok := d.current.(Light)
	return ok && l.Light()
}

// End frees what the method at work holds.
func (d *Dialog) End() {
	if d.current != nil {
		d.current.End()
		d.current = nil
	}
}

// Handle takes a Response.
func (d *Dialog) Handle(p Packet, x *Exchange) Step {
	if d.rounds++; d.rounds > maxRounds {
		return d.refuse(p.ID, member.ReasonEAP, "the conversation does not end")
	}
	x.Identity = d.identity
	switch {
	case p.Code != Response:
		return d.nonsense(p.ID, "a packet that is no Response")
	case !d.asked:
		if p.Type != Identity {
			return d.refuse(p.ID, member.ReasonEAP, "the first Response is no Identity")
		}
	case p.ID == d.id-1 && d.identified:
		return Step{Kind: Ask, Packet: d.last, Again: true}
	case p.ID != d.id:
		return d.nonsense(p.ID, "an Identifier that was not asked for")
	}
	switch p.Type {
	case Identity:
		return d.identify(p, x)
	case Nak, Expanded:
		return d.nak(p, x)
	case d.kind:
		if d.current == nil {
			return d.nonsense(p.ID, "a method that was not begun")
		}
		d.begun = true
		return d.turn(p.ID, d.current.Next(p.Data, x))
	default:
		return d.nonsense(p.ID, "a Response of type "+p.Type.String())
	}
}

// identify keeps the identity and begins with the first method.
func (d *Dialog) identify(p Packet, x *Exchange) Step {
	if d.identified {
		return d.nonsense(p.ID, "a second Identity")
	}
	d.identity, d.identified = string(p.Data), true
	x.Identity = d.identity
	if len(d.methods) == 0 {
		return d.refuse(p.ID, member.ReasonNoEAPMethod, "none is offered here")
	}
	return d.begin(p.ID, d.methods[0], x)
}

func (d *Dialog) begin(id byte, m Method, x *Exchange) Step {
	d.End()
	d.current, d.kind, d.begun = m.Start(), m.Type(), false
	d.id = id
	return d.turn(id, d.current.Next(nil, x))
}

// nak turns to the first method that the peer wants and that is offered here
// (RFC 3748 §5.3.1).
func (d *Dialog) nak(p Packet, x *Exchange) Step {
	if d.current == nil || d.begun {
		return d.nonsense(p.ID, "a Nak in the middle of a method")
	}
	wanted := p.Data
	if p.Type == Expanded {
		wanted = nil // no method of another vendor is offered here
	}
	for _, t := range wanted {
		i := slices.IndexFunc(d.methods, func(m Method) bool { return m.Type() == Type(t) })
		if i >= 0 && Type(t) != d.kind {
			return d.begin(p.ID, d.methods[i], x)
		}
	}
	return d.refuse(p.ID, member.ReasonNoEAPMethod, "the device offers "+typeNamesOf(wanted)+", this server "+d.offered())
}

// typeNamesOf names types, as the operator reads them.
func typeNamesOf(types []byte) string {
	var names []string
	for _, t := range types {
		if t != 0 {
			names = append(names, Type(t).String())
		}
	}
	if len(names) == 0 {
		return "nothing else"
	}
	return strings.Join(names, ", ")
}

func (d *Dialog) offered() string {
	types := make([]byte, 0, len(d.methods))
	for _, m := range d.methods {
		types = append(types, byte(m.Type()))
	}
	return typeNamesOf(types)
}

// turn sends what the method wants sent. id is the Response's.
func (d *Dialog) turn(id byte, t Turn) Step {
	switch t.Kind {
	case Ask:
		d.id = id
		return d.ask(d.kind, t.Data)
	case Accept:
		return Step{Kind: Accept, Packet: Packet{Code: Success, ID: id}.Append(nil), Result: t.Result}
	case Reject:
		return Step{Kind: Reject, Packet: Packet{Code: Failure, ID: id}.Append(nil), Result: t.Result}
	case Unanswered:
		return Step{Kind: Unanswered, Result: t.Result}
	default:
		return d.nonsense(id, "what its method can't read")
	}
}

// ask sends a Request with the next Identifier.
func (d *Dialog) ask(t Type, data []byte) Step {
	d.id++
	d.asked = true
	d.last = Packet{Code: Request, ID: d.id, Type: t, Data: data}.Append(d.last[:0:0])
	return Step{Kind: Ask, Packet: d.last}
}

// nonsense bears some packets and answers each with the last Request (RFC 3579 §2.2).
func (d *Dialog) nonsense(id byte, what string) Step {
	if d.invalid++; d.invalid > maxInvalid || d.last == nil {
		return d.refuse(id, member.ReasonEAP, what)
	}
	return Step{Kind: Ask, Packet: d.last, Again: true, Invalid: true}
}

func (d *Dialog) refuse(id byte, reason member.Reason, detail string) Step {
	return d.turn(id, Refuse(reason, detail))
}
