package eap_test

import (
	"bytes"
	"strings"
	"testing"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/member"
)

// A script is a method whose conversations do what next says; n counts from 0,
// the beginning. It asks on and on where next is nil.
type script struct {
	kind  eap.Type
	next  func(n int, data []byte, x *eap.Exchange) eap.Turn
	ended chan struct{} // gets one for each End, if it is not nil
}

func (s *script) Type() eap.Type { return s.kind }

func (s *script) Start() eap.Conversation { return &scene{script: s} }

type scene struct {
	*script
	n int
}

func (s *scene) Next(data []byte, x *eap.Exchange) eap.Turn {
	n := s.n
	s.n++
	if s.next == nil {
		return eap.Turn{Kind: eap.Ask, Data: []byte{byte(n)}}
	}
	return s.next(n, data, x)
}

func (s *scene) End() {
	if s.ended != nil {
		s.ended <- struct{}{}
	}
}

// says feeds a dialog with a Response.
func says(d *eap.Dialog, id byte, kind eap.Type, data string) eap.Step {
	p := eap.Packet{Code: eap.Response, ID: id, Type: kind, Data: []byte(data)}
	return d.Handle(p, &eap.Exchange{Limit: 1024, Now: eaptest.Now()})
}

// asks fails unless the step is a Request of this type, and returns it.
func asks(t *testing.T, s eap.Step, kind eap.Type) eap.Packet {
	t.Helper()
	p, err := eap.Parse(s.Packet)
	if err != nil || s.Kind != eap.Ask || p.Code != eap.Request || p.Type != kind {
		t.Fatalf("sent %+v, %v, with %+v; want a Request of %s", p, err, s, kind)
	}
	return p
}

// fails fails unless the step is a Failure for this reason.
func fails(t *testing.T, s eap.Step, id byte, reason member.Reason, detail string) {
	t.Helper()
	p, err := eap.Parse(s.Packet)
	if err != nil || s.Kind != eap.Reject || p.Code != eap.Failure || p.ID != id {
		t.Errorf("sent %+v, %v, with %+v; want Failure with Identifier %d", p, err, s, id)
	}
	if f := s.Result.Fault; f.Reason != reason || f.Detail != detail {
		t.Errorf("the fault is %q, %q; want %q, %q", f.Reason, f.Detail, reason, detail)
	}
}

func TestDialogIdentityUnasked(t *testing.T) {
	t.Parallel()
	var heard string
	d := eap.NewDialog([]eap.Method{&script{kind: eap.PEAP, next: func(n int, _ []byte, x *eap.Exchange) eap.Turn {
		heard = x.Identity
		if n == 0 {
			return eap.Turn{Kind: eap.Ask, Data: []byte{0x20}}
		}
		return eap.Turn{Kind: eap.Accept, Result: eap.Result{MSK: []byte("msk")}}
	}}}, 0)
	if got := d.Where(); got != "before it said who it is" {
		t.Errorf("at first it is %q", got)
	}
	p := asks(t, says(d, 41, eap.Identity, "anna"), eap.PEAP)
	if p.ID != 42 || d.Outstanding() != 42 || !bytes.Equal(p.Data, []byte{0x20}) {
		t.Errorf("the Request is %+v, Outstanding %d", p, d.Outstanding())
	}
	if heard != "anna" || d.Identity() != "anna" || d.Doing() != eap.PEAP {
		t.Errorf("the method heard of %q, the dialog of %q and %s", heard, d.Identity(), d.Doing())
	}
	if got := d.Where(); got != "when it was offered PEAP" {
		t.Errorf("after the offer it is %q", got)
	}
	s := says(d, 42, eap.PEAP, "x")
	if got, err := eap.Parse(s.Packet); s.Kind != eap.Accept || err != nil || got.Code != eap.Success || got.ID != 42 || string(s.Result.MSK) != "msk" {
		t.Errorf("ended with %+v, %+v, %v", s, got, err)
	}
	if got := d.Where(); got != "in the middle of PEAP" {
		t.Errorf("in the method it is %q", got)
	}
}

func TestDialogAsksForIdentity(t *testing.T) {
	t.Parallel()
	d := eap.NewDialog([]eap.Method{&script{kind: eap.TTLS}}, 255)
	first := asks(t, d.Begin(), eap.Identity)
	if first.ID != 0 || len(first.Data) != 0 {
		t.Errorf("the Request is %+v, want Identifier 0 after 255", first)
	}
	p := asks(t, says(d, 0, eap.Identity, ""), eap.TTLS)
	if p.ID != 1 {
		t.Errorf("the next Identifier is %d, want 1", p.ID)
	}
}

// TestE11RepeatedResponse: a repeat of the last Response gets the last Request
// again, octet for octet, and the method does not hear of it (RFC 3748 §4.1).
func TestE11RepeatedResponse(t *testing.T) {
	t.Parallel()
	calls := 0
	d := eap.NewDialog([]eap.Method{&script{kind: eap.PEAP, next: func(n int, _ []byte, _ *eap.Exchange) eap.Turn {
		calls++
		return eap.Turn{Kind: eap.Ask, Data: []byte{byte(n), 1, 2, 3}}
	}}}, 0)
	first := says(d, 254, eap.Identity, "anna") // the Identifier goes round: 255, 0, 1
	for _, c := range []struct {
		id   byte
		kind eap.Type
	}{{255, eap.PEAP}, {0, eap.PEAP}, {1, eap.PEAP}} {
		again := says(d, c.id-1, c.kind, "")
		if !again.Again || again.Invalid || again.Kind != eap.Ask || !bytes.Equal(again.Packet, first.Packet) {
			t.Errorf("to the repeat of %d: %+v, want %x again", c.id-1, again, first.Packet)
		}
		before := calls
		first = says(d, c.id, c.kind, "data")
		if calls != before+1 || first.Again {
			t.Errorf("Response %d: the method was called %d times, %+v", c.id, calls-before, first)
		}
	}
}

// TestE9FiveInvalid: what makes no sense is answered with the last Request five
// times, then with Failure (RFC 3579 §2.2).
func TestE9FiveInvalid(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, detail string
		packet       eap.Packet
	}{
		{"an Identifier of tomorrow", "an Identifier that was not asked for", eap.Packet{Code: eap.Response, ID: 9, Type: eap.PEAP}},
		{"an Identifier of two Requests ago", "an Identifier that was not asked for", eap.Packet{Code: eap.Response, ID: 6, Type: eap.PEAP}},
		{"a second Identity", "a second Identity", eap.Packet{Code: eap.Response, ID: 8, Type: eap.Identity, Data: []byte("bob")}},
		{"a Notification", "a Response of type Notification", eap.Packet{Code: eap.Response, ID: 8, Type: eap.Notification}},
		{"another method", "a Response of type TTLS", eap.Packet{Code: eap.Response, ID: 8, Type: eap.TTLS}},
		{"a Success from the device", "a packet that is no Response", eap.Packet{Code: eap.Success, ID: 8}},
		{"what the method can't read", "what its method can't read", eap.Packet{Code: eap.Response, ID: 8, Type: eap.PEAP, Data: []byte("?")}},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := eap.NewDialog([]eap.Method{&script{kind: eap.PEAP, next: func(n int, data []byte, _ *eap.Exchange) eap.Turn {
				if string(data) == "?" {
					return eap.Turn{}
				}
				return eap.Turn{Kind: eap.Ask, Data: []byte("ask")}
			}}}, 0)
			last := says(d, 7, eap.Identity, "anna").Packet
			for i := range 5 {
				s := d.Handle(c.packet, &eap.Exchange{})
				if s.Kind != eap.Ask || !s.Again || !s.Invalid || !bytes.Equal(s.Packet, last) {
					t.Fatalf("the %d. time: %+v, want %x again", i+1, s, last)
				}
			}
			if d.Identity() != "anna" {
				t.Errorf("the identity became %q", d.Identity())
			}
			fails(t, d.Handle(c.packet, &eap.Exchange{}), c.packet.ID, member.ReasonEAP, c.detail)
		})
	}
}

func TestDialogBeginsWrong(t *testing.T) {
	t.Parallel()
	d := eap.NewDialog([]eap.Method{&script{kind: eap.PEAP}}, 0)
	fails(t, says(d, 3, eap.PEAP, "hello"), 3, member.ReasonEAP, "the first Response is no Identity")
	d = eap.NewDialog([]eap.Method{&script{kind: eap.PEAP}}, 0)
	fails(t, d.Handle(eap.Packet{Code: eap.Failure, ID: 4}, &eap.Exchange{}), 4, member.ReasonEAP, "a packet that is no Response")
	d = eap.NewDialog(nil, 0)
	fails(t, says(d, 5, eap.Identity, "anna"), 5, member.ReasonNoEAPMethod, "none is offered here")
	d = eap.NewDialog([]eap.Method{&script{kind: eap.PEAP}}, 5)
	asks(t, d.Begin(), eap.Identity)
	if s := says(d, 6, eap.PEAP, ""); !s.Invalid {
		t.Errorf("a method instead of the identity: %+v", s)
	}
}

func TestDialogNak(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		kind eap.Type
		data string
		want eap.Type // 0: refused
		text string
	}{
		{"to another", eap.Nak, "\x15", eap.TTLS, ""},
		{"the first of those that are offered", eap.Nak, "\x2b\x0d\x15", eap.TLS, ""},
		{"nothing in common", eap.Nak, "\x2b\x34", 0, "the device offers FAST, PWD, this server PEAP, TTLS, TLS"},
		{"nothing else (RFC 3748 §5.3.1)", eap.Nak, "\x00", 0, "the device offers nothing else, this server PEAP, TTLS, TLS"},
		{"empty", eap.Nak, "", 0, "the device offers nothing else, this server PEAP, TTLS, TLS"},
		{"the same again", eap.Nak, "\x19", 0, "the device offers PEAP, this server PEAP, TTLS, TLS"},
		{"expanded", eap.Expanded, "\x00\x00\x00\x00\x00\x00\x03\xfe\x00\x00\x00\x00\x00\x00\x15", 0, "the device offers nothing else, this server PEAP, TTLS, TLS"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan struct{}, 9)
			d := eap.NewDialog([]eap.Method{&script{kind: eap.PEAP, ended: ended}, &script{kind: eap.TTLS}, &script{kind: eap.TLS}}, 0)
			asks(t, says(d, 1, eap.Identity, "anna"), eap.PEAP)
			s := says(d, 2, c.kind, c.data)
			if c.want == 0 {
				fails(t, s, 2, member.ReasonNoEAPMethod, c.text)
				return
			}
			if p := asks(t, s, c.want); p.ID != 3 || d.Doing() != c.want {
				t.Errorf("the Request is %+v, doing %s", p, d.Doing())
			}
			if len(ended) != 1 {
				t.Errorf("the method that was refused was ended %d times", len(ended))
			}
			asks(t, says(d, 3, c.want, "go on"), c.want)
			if s := says(d, 4, eap.Nak, "\x19"); !s.Invalid {
				t.Errorf("a Nak in the middle of a method: %+v", s)
			}
		})
	}
}

func TestDialogDoesNotGoOnForever(t *testing.T) {
	t.Parallel()
	d := eap.NewDialog([]eap.Method{&script{kind: eap.PEAP}}, 0)
	p := asks(t, says(d, 0, eap.Identity, "anna"), eap.PEAP)
	for range 999 {
		p = asks(t, says(d, p.ID, eap.PEAP, "more"), eap.PEAP)
	}
	fails(t, says(d, p.ID, eap.PEAP, "more"), p.ID, member.ReasonEAP, "the conversation does not end")
}

func TestDialogEndsOnce(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 9)
	d := eap.NewDialog([]eap.Method{&script{kind: eap.PEAP, ended: ended}}, 0)
	d.End()
	asks(t, says(d, 0, eap.Identity, "anna"), eap.PEAP)
	d.End()
	d.End()
	if len(ended) != 1 {
		t.Errorf("ended %d times", len(ended))
	}
	if s := says(d, 1, eap.PEAP, "more"); !s.Invalid {
		t.Errorf("a method that has ended answers: %+v", s)
	}
}

// TestFinish: what the member systems say is the end, and only Allow lets in.
func TestFinish(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[member.Verdict]eap.Kind{
		member.Allow: eap.Accept, member.Deny: eap.Reject, member.Unanswered: eap.Unanswered, 77: eap.Unanswered,
	} {
		if got := eap.Finish(&eap.Decision{Verdict: verdict}); got.Kind != want || got.Result.Decision.Verdict != verdict {
			t.Errorf("verdict %d ends with %+v", verdict, got)
		}
	}
	if s := (eap.Step{}); s.Kind != eap.Ignore {
		t.Error("the zero Step says something")
	}
}

// TestUnansweredIsSilence: could not say is neither Success nor Failure.
func TestUnansweredIsSilence(t *testing.T) {
	t.Parallel()
	d := eap.NewDialog([]eap.Method{&script{kind: eap.PEAP, next: func(int, []byte, *eap.Exchange) eap.Turn {
		return eap.Finish(&eap.Decision{Reason: member.ReasonTimeout})
	}}}, 0)
	if s := says(d, 0, eap.Identity, "anna"); s.Kind != eap.Unanswered || s.Packet != nil || s.Result.Decision.Reason != member.ReasonTimeout {
		t.Errorf("could not say became %+v", s)
	}
}

// TestInside: the end of a dialog in a tunnel never lets in by itself.
func TestInside(t *testing.T) {
	t.Parallel()
	const broke = "the conversation inside the tunnel broke"
	deny := eap.Decision{Verdict: member.Deny, Reason: member.ReasonDisabled}
	tests := []struct {
		name string
		step eap.Step
		want eap.Turn
	}{
		{"a refusal keeps its reason", eap.Step{Kind: eap.Reject, Result: eap.Result{Decision: deny, How: "eap-gtc"}},
			eap.Turn{Kind: eap.Reject, Result: eap.Result{Decision: deny, How: "peap/eap-gtc"}}},
		{"silence stays", eap.Step{Kind: eap.Unanswered}, eap.Turn{Kind: eap.Unanswered, Result: eap.Result{How: "peap"}}},
		{"no method is no inner method", eap.Step{Kind: eap.Reject, Result: eap.Result{Fault: eap.Fault{Reason: member.ReasonNoEAPMethod, Detail: "x"}}},
			eap.Turn{Kind: eap.Reject, Result: eap.Result{Fault: eap.Fault{Reason: member.ReasonNoInnerMethod, Detail: "x"}, How: "peap"}}},
		{"Accept is not passed on", eap.Step{Kind: eap.Accept, Result: eap.Result{MSK: []byte("x")}},
			eap.Turn{Kind: eap.Reject, Result: eap.Result{Fault: eap.Fault{Reason: member.ReasonEAP, Detail: broke}, How: "peap"}}},
		{"nothing", eap.Step{}, eap.Turn{Kind: eap.Reject, Result: eap.Result{Fault: eap.Fault{Reason: member.ReasonEAP, Detail: broke}, How: "peap"}}},
	}
	for _, c := range tests {
		got := eap.Inside(c.step, "peap")
		if got.Kind != c.want.Kind || got.Result.Fault != c.want.Result.Fault || got.Result.How != c.want.Result.How ||
			got.Result.Decision.Reason != c.want.Result.Decision.Reason || got.Result.MSK != nil {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// FuzzDialog_NoPanic feeds a dialog with packets that lie one behind the other,
// each behind an octet with its length.
func FuzzDialog_NoPanic(f *testing.F) {
	f.Add([]byte("\x09\x02\x07\x00\x09\x01anna\x06\x02\x08\x00\x06\x03\x15\x06\x02\x09\x00\x06\x15\x00"))
	f.Add([]byte("\x05\x02\x07\x00\x05\x01\x05\x02\x06\x00\x05\x19\x05\x02\x08\x00\x05\x19"))
	f.Add([]byte(strings.Repeat("\x05\x02\x07\x00\x05\x01", 20)))
	f.Fuzz(func(t *testing.T, octets []byte) {
		d := eap.NewDialog([]eap.Method{&script{kind: eap.PEAP}, &script{kind: eap.TTLS}}, 0)
		defer d.End()
		invalid := 0
		for len(octets) > 0 {
			n := min(int(octets[0]), len(octets)-1)
			p, err := eap.Parse(octets[1 : 1+n])
			octets = octets[1+n:]
			if err != nil {
				continue
			}
			s := d.Handle(p, &eap.Exchange{Limit: 1024})
			sent, err := eap.Parse(s.Packet)
			if err != nil || s.Kind == eap.Accept || s.Kind == eap.Ask && sent.Code != eap.Request {
				t.Fatalf("to %+v: %+v, %v", p, s, err)
			}
			if s.Invalid {
				invalid++
			}
			if s.Kind != eap.Ask {
				break
			}
		}
		if invalid > 5 {
			t.Errorf("%d pieces of nonsense were borne", invalid)
		}
		_ = d.Where()
	})
}
