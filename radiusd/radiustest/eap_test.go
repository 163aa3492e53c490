package radiustest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/radiusd/radiustest/peer"
)

func eapRequest() *Request {
	return &Request{Method: EAPMSCHAPv2, Login: "anna", Password: "correct horse", AccessPoint: AccessPoint{Identifier: "ap1"}}
}

// TestNAS_EAP follows a conversation, octet by octet where it counts.
func TestNAS_EAP(t *testing.T) {
	t.Parallel()
	responder := respond(t, (&eapMember{password: "correct horse"}).answer)
	nas := open(t, &NAS{Server: responder.addr(), Secret: testSecret, Timing: Timing{Initial: 10 * time.Second, Count: 1}})
	reply, err := nas.Do(t.Context(), eapRequest())
	if err != nil {
		t.Fatal(err)
	}
	if !reply.OK() || reply.Keys != Right || reply.EAP.Rounds != 3 || reply.Tries != 3 || reply.EAP.Diagnosis != nil || reply.EAP.Largest != 51 {
		t.Errorf("%s, keys %s, %d tries, faults %q, %+v", reply.Code, reply.Keys, reply.Tries, reply.Faults, reply.EAP)
	}
	var states [][]byte
	for _, b := range responder.requests() {
		r := &Reply{Raw: b}
		if b[headerSize] != typeMessageAuthenticator {
			t.Errorf("a request begins with attribute %d", b[headerSize])
		}
		if mtu := r.Values(typeFramedMTU); len(mtu) != 1 || !bytes.Equal(mtu[0], []byte{0, 0, 5, 120}) {
			t.Errorf("Framed-MTU %x", mtu)
		}
		if names := r.Values(typeUserName); len(names) != 1 || string(names[0]) != "anna" {
			t.Errorf("User-Name %q", names)
		}
		states = append(states, slices.Concat(r.Values(typeState)...))
	}
	if len(states) != 3 || len(states[0]) != 0 || !bytes.Equal(states[1], []byte{1}) || len(states[2]) != 25 {
		t.Errorf("State %x", states)
	}
}

func TestNAS_EAPOptions(t *testing.T) {
	t.Parallel()
	responder := respond(t, (&eapMember{password: "correct horse"}).answer)
	nas := open(t, &NAS{Server: responder.addr(), Secret: testSecret, Timing: Timing{Initial: 10 * time.Second, Count: 1}})
	r := eapRequest()
	r.EAP = &EAP{Anonymous: strings.Repeat("x", 250), Start: true, MTU: 1000}
	reply, err := nas.Do(t.Context(), r)
	if err != nil || !reply.OK() || reply.EAP.Rounds != 4 || reply.EAP.Outer != r.EAP.Anonymous {
		t.Fatalf("%+v, %v", reply, err)
	}
	sent := responder.requests()
	if start := (&Reply{Raw: sent[0]}).Values(typeEAPMessage); len(start) != 1 || len(start[0]) != 0 {
		t.Errorf("EAP-Start is %x", start)
	}
	if parts := (&Reply{Raw: sent[1]}).Values(typeEAPMessage); len(parts) != 2 || len(parts[0]) != 253 || len(parts[1]) != 2 {
		t.Errorf("an identity of 250 octets goes out in %d parts", len(parts))
	}
	r = eapRequest()
	r.Password = "wrong"
	reply, err = nas.Do(t.Context(), r)
	if err != nil || reply.Code != AccessReject || reply.EAP.Diagnosis == nil || reply.EAP.Diagnosis.Party != peer.PartyLogin || len(reply.Faults) > 0 {
		t.Errorf("%+v, %v", reply, err)
	}
}

// TestNAS_EAPFaults is what a server's replies can have wrong.
func TestNAS_EAPFaults(t *testing.T) {
	t.Parallel()
	for fault, edit := range map[string]func(round int, p *Packet){
		"has no EAP-Message: the device waits for EAP-Success": func(round int, p *Packet) {
			if round == 2 {
				p.attributes = p.attributes[:18]
			}
		},
		"carries EAP-Failure instead of EAP-Success":           last(func(p *Packet) { p.attributes[20] = 4 }),
		"EAP-Success has Identifier":                           last(func(p *Packet) { p.attributes[21]++ }),
		"an Access-Reject carries EAP-Success":                 last(func(p *Packet) { p.Code = AccessReject }),
		"an Access-Reject gives session keys away":             last(func(p *Packet) { p.Code = AccessReject }),
		"Reply-Message stands beside EAP-Message":              last(func(p *Packet) { p.Add(typeReplyMessage, []byte("Hello")) }),
		"has no MPPE keys":                                     last(func(p *Packet) { p.attributes = p.attributes[:18+6] }),
		"has 2 State attributes":                               func(_ int, p *Packet) { p.Add(typeState, []byte{1}) },
		"the EAP-Message attributes do not follow one another": func(round int, p *Packet) { apart(round, p) },
		"EAP-Key-Name is not this login's":                     last(func(p *Packet) { p.Add(typeEAPKeyName, []byte("another")) }),
		"Message-Authenticator is not the first attribute": func(_ int, p *Packet) {
			p.attributes, p.macs = p.attributes[18:], nil
			p.AddMessageAuthenticator()
		},
		"a reply with EAP-Message has no Message-Authenticator": func(_ int, p *Packet) { p.attributes, p.macs = p.attributes[18:], nil },
	} {
		responder := respond(t, (&eapMember{password: "correct horse", edit: edit}).answer)
		nas := open(t, &NAS{Server: responder.addr(), Secret: testSecret, Timing: Timing{Initial: 10 * time.Second, Count: 1}, TakeUnsigned: true})
		reply, err := nas.Do(t.Context(), eapRequest())
		if err != nil {
			t.Errorf("%s: %v", fault, err)
			continue
		}
		if !strings.Contains(strings.Join(reply.Faults, "; "), fault) {
			t.Errorf("faults %q, want %q", reply.Faults, fault)
		}
	}
}

func last(edit func(*Packet)) func(int, *Packet) {
	return func(round int, p *Packet) {
		if round == 2 {
			edit(p)
		}
	}
}

// apart puts an attribute between two halves of the first challenge.
func apart(round int, p *Packet) {
	if round != 0 {
		return
	}
	message := bytes.Clone(p.attributes[20:50])
	p.attributes = p.attributes[:18]
	p.Add(typeEAPMessage, message[:10]).Add(typeState, []byte{1}).Add(typeEAPMessage, message[10:])
}

// TestNAS_EAPBreaks: a conversation that breaks off says where, and why.
func TestNAS_EAPBreaks(t *testing.T) {
	t.Parallel()
	for words, server := range map[string]*eapMember{
		"did not answer the first packet":  nil,
		"the server stopped answering at":  {password: "correct horse", silent: 1},
		"an Access-Challenge without EAP":  {password: "correct horse", edit: func(_ int, p *Packet) { p.attributes = p.attributes[:18] }},
		"the server broke the protocol at": {password: "correct horse", edit: func(_ int, p *Packet) { p.attributes[23]++ }},
		"does not prove that it knows":     {password: "correct horse", edit: func(round int, p *Packet) { spoil(round, p) }},
	} {
		answer, timing := func([]byte) [][]byte { return nil }, Timing{Initial: 10 * time.Second, Count: 1}
		if server != nil {
			answer = server.answer
		}
		if server == nil || server.silent > 0 {
			timing.Initial = 100 * time.Millisecond
		}
		responder := respond(t, answer)
		nas := open(t, &NAS{Server: responder.addr(), Secret: testSecret, Timing: timing})
		_, err := nas.Do(t.Context(), eapRequest())
		var broken *EAPError
		var silence *NoReplyError
		if !errors.As(err, &broken) || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want %q", err, words)
		}
		if silent := server == nil || server.silent > 0; errors.As(err, &silence) != silent {
			t.Errorf("%s: %v", words, err)
		}
	}
}

// spoil makes the server's own proof wrong.
func spoil(round int, p *Packet) {
	if round == 1 {
		p.attributes[40] ^= 1
	}
}

// TestNAS_EAPRefuses is what can't be asked.
func TestNAS_EAPRefuses(t *testing.T) {
	t.Parallel()
	nas := &NAS{Secret: testSecret}
	for _, m := range []Method{PEAP, TTLS, TLS, EAPMSCHAPv2} {
		if _, err := nas.Sign(&Request{Method: m, Login: "anna"}, 1); !errors.Is(err, errConversation) {
			t.Errorf("%s: %v", m, err)
		}
	}
	responder := respond(t, (&eapMember{}).answer)
	nas = open(t, &NAS{Server: responder.addr(), Secret: testSecret})
	if _, err := nas.Do(t.Context(), &Request{Method: TLS, Login: "anna"}); err == nil || !strings.Contains(err.Error(), "client certificate") {
		t.Errorf("%v", err)
	}
}
