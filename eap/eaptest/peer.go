package eaptest

import (
	"io"
	"sync/atomic"
	"time"

	"memberradius/eap"
	"memberradius/member"
)

// Now is the clock of these tests where a Server has none.
func Now() time.Time { return time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC) }

// A Peer is the other end of a whole conversation.
type Peer struct {
	// Identity is what it calls itself in clear.
	Identity string
	// Type is the method that it wants; it answers others with a Nak.
	Type eap.Type
	// Method answers the type-data of a Request.
	Method func(data []byte) []byte
}

// Peer returns the peer that a Device is, with this outer identity.
func (d *Device) Peer(identity string) *Peer {
	return &Peer{Identity: identity, Type: d.Type, Method: d.Answer}
}

// Answer takes a packet and returns the Response; nil where there is none.
func (p *Peer) Answer(packet []byte) []byte {
	r, err := eap.Parse(packet)
	if err != nil || r.Code != eap.Request {
		return nil
	}
	out := eap.Packet{Code: eap.Response, ID: r.ID, Type: r.Type}
	switch r.Type {
	case eap.Identity:
		out.Data = []byte(p.Identity)
	case p.Type:
		if out.Data = p.Method(r.Data); out.Data == nil {
			return nil
		}
	default:
		out.Type, out.Data = eap.Nak, []byte{byte(p.Type)}
	}
	return out.Append(nil)
}

// A Server is an Engine, and what goes into each of its conversations.
type Server struct {
	Engine  *eap.Engine
	Methods []eap.Method
	Decider eap.Decider
	// Limit is the longest packet in octets; 0 is 1,024.
	Limit int
	// Clock is when a packet arrives; nil is Now.
	Clock func() time.Time
	// Watch sees each packet, if it is not nil.
	Watch func(fromServer bool, packet []byte)
	// Light is how many packets were light.
	Light atomic.Int32
}

// NewServer returns one with room for 100 conversations.
func NewServer(rand io.Reader, decider eap.Decider, methods ...eap.Method) *Server {
	bounds := eap.Bounds{Conversations: 100, PerClient: 100, Idle: 30 * time.Second}
	return &Server{Engine: eap.NewEngine(bounds, rand), Methods: methods, Decider: decider}
}

// Handle takes one packet to the Engine; state is nil for the first.
func (s *Server) Handle(state, packet []byte) eap.Outcome {
	a := eap.Arrival{State: state, Packet: packet, Methods: s.Methods, Client: "ap", About: func() any { return "about" }}
	x := eap.Exchange{Decider: s.Decider, Limit: s.Limit, Now: Now()}
	if s.Limit == 0 {
		x.Limit = 1024
	}
	if s.Clock != nil {
		x.Now = s.Clock()
	}
	if s.Watch != nil {
		s.Watch(false, packet)
	}
	o := s.lightFirst(&a, x)
	if o.Later {
		o = s.Engine.Handle(&a, &x)
	}
	if s.Watch != nil && o.Packet != nil {
		s.Watch(true, o.Packet)
	}
	return o
}

// lightFirst has the Engine try it as a reader does. What it takes must keep
// eap.Light's promise.
func (s *Server) lightFirst(a *eap.Arrival, x eap.Exchange) eap.Outcome {
	x.Decider = forbidden{}
	a.LightOnly = true
	o := s.Engine.Handle(a, &x)
	if a.LightOnly = false; !o.Later {
		s.Light.Add(1)
	}
	return o
}

// forbidden is the Decider of light packets.
type forbidden struct{}

func (forbidden) Decide(string, *member.Proof) eap.Decision {
	panic("eaptest: a light packet took a login to the member systems")
}

func (forbidden) Recall(*eap.Decision) eap.Decision {
	panic("eaptest: a light packet took a ticket to the member systems")
}

// Converse has them talk until one of them ends it, or the peer is silent.
func (s *Server) Converse(p *Peer) eap.Outcome {
	packet := eap.Packet{Code: eap.Response, ID: 7, Type: eap.Identity, Data: []byte(p.Identity)}.Append(nil)
	o := s.Handle(nil, packet)
	for o.Kind == eap.Ask && !o.Invalid {
		if packet = p.Answer(o.Packet); packet == nil {
			break
		}
		o = s.Handle(o.State[:], packet)
	}
	return o
}
