package radiusd

import (
	"bytes"
	"strings"
	"testing"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

// B1: Message-Authenticator is the first attribute of every reply.
func TestB1FirstInReplies(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	for name, q := range map[string]*radiustest.Request{
		"Accept": papRequest(),
		"Reject": {Method: radiustest.PAP, Login: "nobody", Password: "x"},
		"Status": {Method: radiustest.Status},
		"EAP":    {Method: radiustest.NoProof, Login: "bob", Octets: []byte{typeEAPMessage, 6, 2, 1, 0, 4}},
	} {
		q.ProxyStates = [][]byte{[]byte("state")}
		if reply := r.ask(q); reply.Raw[headerSize] != typeMessageAuthenticator {
			t.Errorf("%s: attribute %d is first", name, reply.Raw[headerSize])
		}
	}
}

// B2: a request without Message-Authenticator is dropped, and the log says
// what to change on which client. B3: a client that may send such requests may
// not together with Proxy-State.
func TestB2B3Required(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	q := papRequest()
	q.MessageAuthenticator = radiustest.Absent
	w := r.wire(0)
	for id := range byte(5) {
		if reply := r.exchange(w, r.sign(q, id).Bytes); reply != nil {
			t.Error("B2: answered")
		}
	}
	r.logged("require_message_authenticator = false at this [[client]]")
	if log := r.log.String(); strings.Count(log, "drop=no_message_authenticator") != 1 || !strings.Contains(log, "client=lobby") {
		t.Errorf("not one line that names the client:\n%s", log)
	}
	if n := r.counter("memberradius_drops_total", "client", "lobby", "reason", "no_message_authenticator"); n != 5 {
		t.Errorf("%v drops counted", n)
	}

	tolerant := startRig(t, quick, tolerate)
	w = tolerant.wire(0)
	if reply := tolerant.exchange(w, tolerant.sign(q, 1).Bytes); reply == nil || reply[headerSize] != typeMessageAuthenticator {
		t.Errorf("B3: a tolerant client gets % x", reply)
	}
	q.ProxyStates = [][]byte{[]byte("state")}
	if reply := tolerant.exchange(w, tolerant.sign(q, 2).Bytes); reply != nil {
		t.Error("B3: Proxy-State without Message-Authenticator is answered")
	}
	q.MessageAuthenticator = radiustest.First
	if reply := tolerant.exchange(w, tolerant.sign(q, 3).Bytes); reply == nil {
		t.Error("B3: Proxy-State with Message-Authenticator is not answered")
	}
	// EAP is never tolerated without (RFC 3579 §3.2).
	eap := &radiustest.Request{Method: radiustest.NoProof, Login: "bob", Octets: []byte{typeEAPMessage, 6, 2, 1, 0, 4}, MessageAuthenticator: radiustest.Absent}
	if reply := tolerant.exchange(w, tolerant.sign(eap, 4).Bytes); reply != nil {
		t.Error("EAP without Message-Authenticator is answered")
	}
	// One that is there is checked, whoever may leave it out.
	q.MessageAuthenticator = radiustest.Wrong
	if reply := tolerant.exchange(w, tolerant.sign(q, 5).Bytes); reply != nil {
		t.Error("a wrong one of a tolerant client is answered")
	}
}

// B4: a Message-Authenticator in the last place is as good. B5: two are none.
// B6: a wrong one is dropped and counts for nothing. B7: so is one of another length.
func TestB4ToB7Placement(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	last := papRequest()
	last.MessageAuthenticator = radiustest.Last
	if reply := r.ask(last); reply.Code != radiustest.AccessAccept {
		t.Errorf("B4: %v", reply.Code)
	}
	before := len(r.Why("bob", 9))
	if code := r.code(papPacket().AddMessageAuthenticator()); code != 0 {
		t.Errorf("B5: two: %v", code)
	}
	wrong := papRequest()
	wrong.MessageAuthenticator = radiustest.Wrong
	if reply := r.exchange(r.wire(0), r.sign(wrong, 1).Bytes); reply != nil {
		t.Error("B6: answered")
	}
	for _, n := range []int{0, 1, 15, 17, 32} {
		p := &radiustest.Packet{Code: radiustest.AccessRequest, Identifier: 1}
		p.Add(typeUserName, []byte("bob")).AddPassword("hello").Add(typeMessageAuthenticator, make([]byte, n))
		if code := r.code(p); code != 0 {
			t.Errorf("B7: one of %d octets: %v", n, code)
		}
	}
	if after := len(r.Why("bob", 9)); after != before {
		t.Errorf("%d decisions for packets that are not authentic", after-before)
	}
	r.logged("set the same secret at the NAS and at this [[client]]")
}

// B8: the accounting port answers Status-Server, and what it does not record
// it does not acknowledge.
func TestB8S1AccountingPort(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	nas := &radiustest.NAS{Server: r.Addrs()[1], Secret: rigSecret}
	if err := nas.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nas.Close() }()
	reply, err := nas.Do(t.Context(), &radiustest.Request{Method: radiustest.Status})
	if err != nil || reply.Code != radiustest.AccountingResponse || !reply.SignedFirst {
		t.Fatalf("Status-Server: %+v %v", reply, err)
	}
	p := &radiustest.Packet{Code: radiustest.AccountingRequest, Identifier: 3}
	p.Add(typeUserName, []byte("bob")).Add(40, []byte{0, 0, 0, 1})
	if reply := r.exchange(r.wire(1), mustEncode(t, p)); reply != nil {
		t.Error("an Accounting-Request without a session is acknowledged")
	}
	r.logged("Acct-Status-Type or Acct-Session-Id")
	for port, code := range map[int]radiustest.Code{0: radiustest.AccountingRequest, 1: radiustest.AccessRequest} {
		p := &radiustest.Packet{Code: code, Identifier: 4}
		if reply := r.exchange(r.wire(port), mustEncode(t, p.AddMessageAuthenticator().Add(typeUserName, []byte("bob")).AddPassword("hello"))); reply != nil {
			t.Errorf("%v is answered at the other kind of port", code)
		}
	}
	r.logged("point the NAS's authentication at a port of [server] auth")
}

// S1: Status-Server needs a right Message-Authenticator, whatever else it
// carries is ignored, and it is no login.
func TestS1StatusServer(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, tolerate)
	status := &radiustest.Request{Method: radiustest.Status, Octets: []byte{typeUserName, 5, 'b', 'o', 'b', typeState, 3, 1}}
	if reply := r.ask(status); reply.Code != radiustest.AccessAccept {
		t.Errorf("%v", reply.Code)
	}
	w := r.wire(0)
	for _, place := range []radiustest.Placement{radiustest.Absent, radiustest.Wrong} {
		status.MessageAuthenticator = place
		if reply := r.exchange(w, r.sign(status, 9).Bytes); reply != nil {
			t.Errorf("Status-Server with Message-Authenticator %d is answered", place)
		}
	}
	if n := len(r.Why("bob", 9)); n != 0 {
		t.Errorf("%d decisions", n)
	}
	if n := r.counter("memberradius_status_requests_total", "client", "lobby"); n < 3 {
		t.Errorf("%v Status-Server counted", n)
	}
}

// Every other code gets no reply.
func TestOtherCodes(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	for _, code := range []radiustest.Code{0, 2, 3, 5, 11, 13, 40, 43, 52, 255} {
		p := &radiustest.Packet{Code: code, Identifier: 1, KeepAuthenticator: true}
		if got := r.code(p.AddMessageAuthenticator()); got != 0 {
			t.Errorf("code %d is answered by %v", code, got)
		}
	}
}

// A method that the client may not use, or that is not here, is refused with
// the reason; EAP in EAP's own words (RFC 3579 §2.6.5: no Reply-Message beside it).
func TestMethodNotAllowed(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, func(_ *Config, c *ClientConfig, _ *members) { c.Methods = []string{"mschap", "eap"} })
	tests := []struct {
		name    string
		q       *radiustest.Request
		reason  member.Reason
		message string
	}{
		{"pap", papRequest(), member.ReasonMethodNotAllowed, "This login method is not allowed here."},
		{"mschapv2", &radiustest.Request{Method: radiustest.MSCHAPv2, Login: "bob", Password: "hello"}, member.ReasonMethodNotAllowed, "This login method is not allowed here."},
		{"chap", &radiustest.Request{Method: radiustest.CHAP, Login: "bob", Password: "hello"}, member.ReasonMethodNotAllowed, "This login method is not allowed here."},
		{"eap", &radiustest.Request{Method: radiustest.NoProof, Login: "bob", Octets: []byte{typeEAPMessage, 6, 2, 77, 0, 4}}, member.ReasonMethodUnknown, ""},
		{"none", &radiustest.Request{Method: radiustest.NoProof, Login: "bob", Octets: []byte{typeState, 3, 1}}, member.ReasonMethodUnknown, "This login method is not supported."},
	}
	for _, tt := range tests {
		reply := r.ask(tt.q)
		if reply.Code != radiustest.AccessReject || reply.Message != tt.message {
			t.Errorf("%s: %v %q", tt.name, reply.Code, reply.Message)
		}
		if why := r.Why("bob", 1); why[0].Reason != tt.reason {
			t.Errorf("%s: %v, want %v", tt.name, why[0].Reason, tt.reason)
		}
		eap := reply.Values(typeEAPMessage)
		if tt.name == "eap" && (len(eap) != 1 || !bytes.Equal(eap[0], []byte{4, 77, 0, 4})) {
			t.Errorf("EAP gets % x", eap)
		}
	}
	reply := r.ask(&radiustest.Request{Method: radiustest.MSCHAP, Login: "user", Password: "clientPass"})
	if reply.Code != radiustest.AccessAccept || reply.Keys != radiustest.Right {
		t.Errorf("mschap where it is listed: %v, keys %v", reply.Code, reply.Keys)
	}
	byDefault := startRig(t, quick)
	if reply := byDefault.ask(&radiustest.Request{Method: radiustest.MSCHAP, Login: "user", Password: "clientPass"}); reply.Code != radiustest.AccessReject {
		t.Errorf("mschap where it is not listed: %v", reply.Code)
	}
}
