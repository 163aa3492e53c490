package mschapv2

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/member"
)

// The exchange of RFC 2759 §9.2, and the keys of RFC 3079 §3.5.3.
const (
	rfcName      = "User"
	rfcPassword  = "clientPass"
	rfcAuth      = "5B5D7C7D7B3F2F3E3C2C602132262628"
	rfcPeer      = "21402324255E262A28295F2B3A337C7E"
	rfcChallenge = "D02E4386BCE91226"
	rfcResponse  = "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF"
	rfcSuccess   = "S=407A5589115FD0D6209F510FE9C04566932CDA56"
	rfcSendKey   = "8B7CDC149B993A1BA118CB153F56DCCB"
	id           = 0x42
)

func unhex(t testing.TB, digits string) []byte {
	t.Helper()
	octets, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return octets
}

// rfcDevice is the peer of the RFC, whose name may have another form.
func rfcDevice(t testing.TB, name string) *eaptest.MSCHAPv2 {
	return &eaptest.MSCHAPv2{Name: name, Password: rfcPassword, PeerChallenge: [16]byte(unhex(t, rfcPeer))}
}

// A bench is a conversation with the RFC's challenge, and its members.
type bench struct {
	eap.Conversation
	x       *eap.Exchange
	members *eaptest.Members
	proofs  []member.Proof
}

// Decide implements eap.Decider: it notes what there was to check.
func (b *bench) Decide(login string, p *member.Proof) eap.Decision {
	b.proofs = append(b.proofs, *p)
	return b.members.Decide(login, p)
}

func (b *bench) Recall(d *eap.Decision) eap.Decision { return *d }

func newBench(t testing.TB) *bench {
	t.Helper()
	random := bytes.NewReader(append([]byte{id}, unhex(t, rfcAuth)...))
	b := &bench{Conversation: (&Method{Name: "radius", Rand: random}).Start(), members: &eaptest.Members{Passwords: map[string]string{rfcName: rfcPassword}}}
	b.x = &eap.Exchange{Decider: b, Identity: rfcName, Limit: 1024, Now: eaptest.Now()}
	return b
}

// asked is one whose challenge is out.
func asked(t testing.TB) *bench {
	b := newBench(t)
	got := b.Next(nil, b.x)
	want := append([]byte{opChallenge, id, 0, 27, 16}, unhex(t, rfcAuth)...)
	if got.Kind != eap.Ask || !bytes.Equal(got.Data, append(want, "radius"...)) {
		t.Fatalf("the challenge is %+v", got)
	}
	return b
}

// TestM1RFC2759 is the exchange of RFC 2759 §9.2, as draft §2 has it in EAP.
func TestM1RFC2759(t *testing.T) {
	t.Parallel()
	b, d := asked(t), rfcDevice(t, rfcName)
	response := d.Respond(id, [16]byte(unhex(t, rfcAuth)))
	if want := "02420" + "03a31" + strings.ToLower(rfcPeer) + strings.Repeat("0", 16) + strings.ToLower(rfcResponse) + "00" + hex.EncodeToString([]byte(rfcName)); hex.EncodeToString(response) != want {
		t.Fatalf("the device's response is %x, want %s", response, want)
	}
	success := b.Next(response, b.x)
	if want := "\x03\x42\x00\x33" + rfcSuccess + " M=OK"; success.Kind != eap.Ask || string(success.Data) != want {
		t.Errorf("success is %q, want %q", success.Data, want)
	}
	p := &b.proofs[0].MSCHAP
	if b.proofs[0].Kind != member.MSCHAPv2 || !bytes.Equal(p.ChallengeHash[:], unhex(t, rfcChallenge)) || !bytes.Equal(p.NTResponse[:], unhex(t, rfcResponse)) || !bytes.Equal(p.Challenge[:], unhex(t, rfcAuth)) {
		t.Errorf("to prove were challenge %x, hash %x, response %x", p.Challenge, p.ChallengeHash, p.NTResponse)
	}
	// MS-CHAP2-Response (RFC 2548 §2.3.2): Ident, Flags, Peer-Challenge, Reserved, Response.
	if want := "4200" + strings.ToLower(rfcPeer) + strings.Repeat("0", 16) + strings.ToLower(rfcResponse); hex.EncodeToString(p.Response[:]) != want {
		t.Errorf("MS-CHAP2-Response is %x, want %s", p.Response, want)
	}
	end := b.Next([]byte{opSuccess}, b.x)
	if end.Kind != eap.Accept || end.Result.How != "eap-mschapv2" || end.Result.Decision.Login != rfcName {
		t.Errorf("ended with %+v", end)
	}
	msk := end.Result.MSK
	if len(msk) != 64 || !bytes.Equal(msk[:32], d.Keys()) || !bytes.Equal(msk[16:32], unhex(t, rfcSendKey)) || slices.Max(msk[32:]) != 0 {
		t.Errorf("MSK is %x: want the receive key, the send key %s, and zeros", msk, rfcSendKey)
	}
}

// TestM5NameInEAP: the hash is over the name as sent, less its domain; the login is
// the identity.
func TestM5NameInEAP(t *testing.T) {
	t.Parallel()
	for name, same := range map[string]bool{rfcName: true, `CORP\User`: true, "user": false, "User@corp.example": false, "": false} {
		b := asked(t)
		turn := b.Next(rfcDevice(t, name).Respond(id, [16]byte(unhex(t, rfcAuth))), b.x)
		if turn.Kind != eap.Ask || turn.Data[0] != opSuccess {
			t.Errorf("%q: %q", name, turn.Data)
		}
		if got := hex.EncodeToString(b.proofs[0].MSCHAP.ChallengeHash[:]) == strings.ToLower(rfcChallenge); got != same {
			t.Errorf("%q hashes as %q does: %t, want %t", name, rfcName, got, same)
		}
		if got := b.members.Asked(); !slices.Equal(got, []string{rfcName}) {
			t.Errorf("%q: asked for %q", name, got)
		}
	}
}

// TestM6Lengths: each field of length off by one is refused, and nobody is asked.
func TestM6Lengths(t *testing.T) {
	t.Parallel()
	good := rfcDevice(t, rfcName).Respond(id, [16]byte(unhex(t, rfcAuth)))
	change := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	add := func(at int, n byte) []byte {
		return change(func(b []byte) []byte { b[at] += n; return b })
	}
	long := rfcDevice(t, strings.Repeat("x", maxName+1)).Respond(id, [16]byte(unhex(t, rfcAuth)))
	tests := []struct {
		name, want string
		data       []byte
	}{
		{"MS-Length one too many", "MS-Length does not fit", add(3, 1)},
		{"MS-Length one too few", "MS-Length does not fit", add(3, 255)},
		{"MS-Length 256 too many", "MS-Length does not fit", add(2, 1)},
		{"MS-Length of the EAP packet", "MS-Length does not fit", add(3, 5)},
		{"an octet behind it", "MS-Length does not fit", append(bytes.Clone(good), 0)},
		{"an octet missing", "MS-Length does not fit", good[:len(good)-1]},
		{"Value-Size 48", "Value-Size 48", add(4, 255)},
		{"Value-Size 50", "Value-Size 50", add(4, 1)},
		{"Value-Size 255", "Value-Size 255", change(func(b []byte) []byte { b[4] = 255; return b })},
		{"another MS-CHAPv2-ID", "a response to another challenge", add(1, 1)},
		{"no whole value", "a response of 53 octets", change(func(b []byte) []byte { b[3] = 53; return b[:53] })},
		{"the OpCode alone", "a response of 1 octets", []byte{opResponse}},
		{"a name of 257 octets", "a name of 257 octets", long},
		{"nothing", "nothing", []byte{}},
	}
	for _, c := range tests {
		b := asked(t)
		turn := b.Next(c.data, b.x)
		if f := turn.Result.Fault; turn.Kind != eap.Reject || f.Reason != member.ReasonEAP || f.Detail != "EAP-MSCHAPv2: "+c.want {
			t.Errorf("%s: %+v, want %q", c.name, turn, c.want)
		}
		if len(b.proofs) != 0 {
			t.Errorf("%s: the members were asked", c.name)
		}
	}
	for n := range good {
		b := asked(t)
		if turn := b.Next(good[:n:n], b.x); turn.Kind != eap.Reject {
			t.Fatalf("the first %d octets: %+v", n, turn)
		}
	}
	noName := rfcDevice(t, "").Respond(id, [16]byte(unhex(t, rfcAuth)))
	longest := rfcDevice(t, strings.Repeat("x", maxName)).Respond(id, [16]byte(unhex(t, rfcAuth)))
	for _, data := range [][]byte{noName, longest} {
		b := asked(t)
		if turn := b.Next(data, b.x); turn.Kind != eap.Ask {
			t.Errorf("a name of %d octets: %+v", len(data)-54, turn)
		}
	}
}

// TestM7Order: each OpCode in each state; CVE-2006-1354 was a Success-Response
// in the place of a response.
func TestM7Order(t *testing.T) {
	t.Parallel()
	good := rfcDevice(t, rfcName).Respond(id, [16]byte(unhex(t, rfcAuth)))
	states := map[string]struct {
		reach func(b *bench)
		takes byte
		ends  eap.Kind
	}{
		"challenged": {func(*bench) {}, opResponse, eap.Ask},
		"admitted":   {func(b *bench) { b.Next(good, b.x) }, opSuccess, eap.Accept},
		"refused": {func(b *bench) {
			b.members.Refuse(rfcName, member.ReasonDisabled)
			b.Next(good, b.x)
		}, opFailure, eap.Reject},
	}
	for name, state := range states {
		for op := range byte(9) {
			b := asked(t)
			state.reach(b)
			before := len(b.proofs)
			data := bytes.Clone(good)
			data[0] = op
			if op != opResponse {
				data = data[:1+3*int(op%2)] // supplicants send the OpCode alone, or a header
			}
			turn := b.Next(data, b.x)
			switch {
			case op == state.takes:
				if turn.Kind != state.ends || turn.Result.Fault.Reason != member.ReasonNone {
					t.Errorf("%s, OpCode %d: %+v", name, op, turn)
				}
			case turn.Kind != eap.Reject || turn.Result.Fault.Reason != member.ReasonEAP || len(turn.Result.MSK) != 0 || len(b.proofs) != before:
				t.Errorf("%s, OpCode %d out of order: %+v", name, op, turn)
			}
		}
	}
	b := asked(t)
	b.Next(good, b.x)
	if turn := b.Next([]byte{opFailure}, b.x); turn.Result.Fault.Detail != "the device does not believe that this server knows the password" {
		t.Errorf("a device that refuses our proof: %+v", turn)
	}
}

// TestM4Failure: a refusal is told as RFC 2759 §6 has it, and before a right
// proof all of them sound the same.
func TestM4Failure(t *testing.T) {
	t.Parallel()
	const wrong = "E=691 R=0 C=" + rfcAuth + " V=3 M=Login or password is wrong."
	tests := []struct {
		name, login, password string
		refuse                member.Reason
		want                  string
		reason                member.Reason
	}{
		{"a wrong password", rfcName, "other", member.ReasonNone, wrong, member.ReasonWrongProof},
		{"nobody", "nobody", rfcPassword, member.ReasonNone, wrong, member.ReasonUnknownLogin},
		{"a wrong password of one who is disabled", rfcName, "other", member.ReasonDisabled, wrong, member.ReasonWrongProof},
		{"disabled", rfcName, rfcPassword, member.ReasonDisabled, "E=647 R=0 C=" + rfcAuth + " V=3 M=The membership is suspended.", member.ReasonDisabled},
		{"expired", rfcName, rfcPassword, member.ReasonExpired, "E=648 R=0 C=" + rfcAuth + " V=3 M=The membership has ended.", member.ReasonExpired},
	}
	for _, c := range tests {
		b, d := asked(t), rfcDevice(t, rfcName)
		b.x.Identity, d.Password = c.login, c.password
		b.members.Refuse(rfcName, c.refuse)
		turn := b.Next(d.Respond(id, [16]byte(unhex(t, rfcAuth))), b.x)
		if n := len(turn.Data); turn.Kind != eap.Ask || n < headerSize || turn.Data[0] != opFailure || turn.Data[1] != id || int(turn.Data[2])<<8|int(turn.Data[3]) != n || string(turn.Data[headerSize:]) != c.want {
			t.Errorf("%s: %+v, %q, want %q", c.name, turn, turn.Data, c.want)
		}
		if end := b.Next([]byte{opFailure}, b.x); end.Kind != eap.Reject || end.Result.Decision.Reason != c.reason || end.Result.How != "eap-mschapv2" {
			t.Errorf("%s: ended with %+v", c.name, end)
		}
	}
}

// A telltale is a member system that refuses before it has looked at the proof.
type telltale struct{ eap.Decider }

func (telltale) Decide(string, *member.Proof) eap.Decision {
	return eap.Decision{Verdict: member.Deny, Reason: member.ReasonDisabled}
}

func TestNothingIsToldBeforeTheProofInEAP(t *testing.T) {
	t.Parallel()
	b := asked(t)
	b.x.Decider = telltale{b}
	turn := b.Next(rfcDevice(t, rfcName).Respond(id, [16]byte(unhex(t, rfcAuth))), b.x)
	if want := "E=691 R=0 C=" + rfcAuth + " V=3 M=Login or password is wrong."; string(turn.Data[headerSize:]) != want {
		t.Errorf("said %q, want %q", turn.Data, want)
	}
}

func TestCouldNotSayIsSilence(t *testing.T) {
	t.Parallel()
	b := asked(t)
	b.members.Silence()
	turn := b.Next(rfcDevice(t, rfcName).Respond(id, [16]byte(unhex(t, rfcAuth))), b.x)
	if turn.Kind != eap.Unanswered || turn.Data != nil || turn.Result.Decision.Reason != member.ReasonTimeout {
		t.Errorf("members who can't say: %+v", turn)
	}
	broken := (&Method{Rand: iotest.ErrReader(iotest.ErrTimeout)}).Start()
	if turn := broken.Next(nil, b.x); turn.Kind != eap.Unanswered || turn.Result.Decision.Reason != member.ReasonInternal {
		t.Errorf("without randomness: %+v", turn)
	}
	var m Method
	if m.Type() != eap.MSCHAPv2 {
		t.Errorf("the type is %s", m.Type())
	}
	first, second := m.Start().Next(nil, b.x), m.Start().Next(nil, b.x)
	if bytes.Equal(first.Data[5:21], second.Data[5:21]) {
		t.Error("two conversations have one challenge")
	}
}

func FuzzResponse_NoPanic(f *testing.F) {
	good := rfcDevice(f, rfcName).Respond(id, [16]byte(unhex(f, rfcAuth)))
	f.Add(good, []byte{opSuccess})
	f.Add([]byte{opSuccess}, []byte{})
	f.Add(good[:53], good)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		b := asked(t)
		if first == nil {
			first = []byte{}
		}
		turn := b.Next(first, b.x)
		if turn.Kind == eap.Accept {
			t.Fatalf("%x alone lets in", first)
		}
		if turn.Kind == eap.Ask {
			if turn = b.Next(append([]byte{}, second...), b.x); turn.Kind == eap.Accept && b.proofs[0].MSCHAP.NTResponse != [24]byte(unhex(t, rfcResponse)) {
				t.Fatalf("%x lets in", first)
			}
		}
	})
}

func FuzzResponse_RoundTrip(f *testing.F) {
	f.Add(byte(7), unhex(f, rfcPeer), unhex(f, rfcResponse), "User")
	f.Add(byte(0), []byte{}, []byte{}, "")
	f.Fuzz(func(t *testing.T, ident byte, peer, nt []byte, name string) {
		if len(name) > maxName {
			return
		}
		value := make([]byte, responseSize)
		copy(value[:16], peer)
		copy(value[24:48], nt)
		n := headerSize + 1 + responseSize + len(name)
		data := append([]byte{opResponse, ident, byte(n >> 8), byte(n), responseSize}, value...)
		r, err := parse(append(data, name...), ident)
		if err != nil || !bytes.Equal(r.peer[:], value[:16]) || !bytes.Equal(r.nt[:], value[24:48]) || r.name != name || r.flags != 0 || r.reserved != [8]byte{} {
			t.Errorf("%x %q came back as %+v, %v", value, name, r, err)
		}
	})
}
