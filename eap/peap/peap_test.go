package peap

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/eap/gtc"
	"memberradius/eap/mschapv2"
	"memberradius/eap/tunnel"
	"memberradius/member"
)

const (
	login    = "Anna@example.org"
	password = "pässword 😀"
	outer    = "anonymous@example.org"
)

// A world is a server that speaks PEAP alone.
type world struct {
	*eaptest.Server
	members *eaptest.Members
}

func newWorld() *world {
	identity := &tunnel.Identity{Certificate: eaptest.Pair(eaptest.Host)}
	members := &eaptest.Members{Passwords: map[string]string{login: password}}
	m := &Method{
		Inner: []eap.Method{&mschapv2.Method{Name: "radius"}, gtc.Method{}},
		Tunnel: &tunnel.Config{
			Type: eap.PEAP, MaxTLS: tls.VersionTLS13, Identity: func() *tunnel.Identity { return identity },
			Tickets: tunnel.NewMemory(10), Resume: time.Hour,
		},
	}
	return &world{eaptest.NewServer(rand.Reader, members, m), members}
}

// A phone is a device and what it says inside.
type phone struct {
	*eaptest.Device
	*eaptest.PEAP
}

func newPhone(version uint16) *phone {
	p := &phone{eaptest.NewDevice(eap.PEAP, version), &eaptest.PEAP{
		Identity: login, MSCHAPv2: &eaptest.MSCHAPv2{Name: login, Password: password},
	}}
	p.TLS.Time, p.TLS.ClientSessionCache = eaptest.Now, tls.NewLRUClientSessionCache(1)
	p.Device.Inside = p.PEAP.Inside
	return p
}

// again is the same phone, for the next conversation.
func (p *phone) again() *phone {
	next := newPhone(p.TLS.MinVersion)
	next.TLS.ClientSessionCache = p.TLS.ClientSessionCache
	return next
}

func (w *world) login(p *phone) eap.Outcome {
	defer p.Close()
	return w.Converse(p.Peer(outer))
}

func eachVersion(t *testing.T, run func(t *testing.T, version uint16)) {
	t.Helper()
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			run(t, version)
		})
	}
}

// TestBoundKeys: a right Crypto-Binding makes the MSK that of tunnel and inner
// method; a device that sends none has the tunnel's; both when resumed too.
func TestBoundKeys(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		for _, how := range []string{"eap-mschapv2", "eap-gtc"} {
			for _, binding := range []eaptest.Binding{eaptest.BindingRight, eaptest.BindingNone} {
				w, p := newWorld(), newPhone(version)
				for _, resumed := range []bool{false, true} {
					if p.Binding = binding; how == "eap-gtc" {
						p.MSCHAPv2, p.Token = nil, password
					}
					o := w.login(p)
					if o.Kind != eap.Accept || o.Result.Resumed != resumed || o.Result.How != "peap/"+how || o.Result.Decision.Login != login {
						t.Fatalf("%s, resumed %t: %+v", how, resumed, o)
					}
					bound := binding == eaptest.BindingRight
					if !bytes.Equal(o.Result.MSK, p.MSK) || p.Bound != bound || p.Result != statusSuccess {
						t.Errorf("%s, resumed %t, binding %d: MSK %x here, %x there, bound %t", how, resumed, binding, o.Result.MSK, p.MSK, p.Bound)
					}
					if tunnelMSK := p.Material()[:64]; bytes.Equal(o.Result.MSK, tunnelMSK) == bound {
						t.Errorf("%s, resumed %t, binding %d: the MSK is the tunnel's: %t", how, resumed, binding, bound)
					}
					p = p.again()
				}
			}
		}
	})
}

// TestWrongBinding: somebody may stand between; there is neither success nor a ticket.
func TestWrongBinding(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		for _, binding := range []eaptest.Binding{eaptest.BindingWrong, eaptest.BindingEcho} {
			w, p := newWorld(), newPhone(version)
			p.Binding = binding
			if o := w.login(p); o.Kind != eap.Reject || o.Result.Fault.Reason != member.ReasonCryptoBinding || len(o.Result.MSK) > 0 {
				t.Errorf("binding %d: %+v", binding, o)
			}
			if o := w.login(p.again()); o.Kind != eap.Accept || o.Result.Resumed {
				t.Errorf("binding %d, then a right one: %+v", binding, o)
			}
		}
	})
}

// TestDisagreement: a device that says that it failed is not let in, and one
// that says that it did not fail when it did is not either.
func TestDisagreement(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		w, p := newWorld(), newPhone(version)
		p.Status = statusFailure
		if o := w.login(p); o.Kind != eap.Reject || o.Result.Fault.Detail != "PEAP: the device does not agree that it may come in" {
			t.Errorf("a device that says that it failed: %+v", o)
		}
		p = p.again()
		p.Status, p.MSCHAPv2.Password = statusSuccess, "wrong"
		if o := w.login(p); o.Kind != eap.Reject || o.Result.Decision.Reason != member.ReasonWrongProof || o.Result.Fault != (eap.Fault{}) || len(o.Result.MSK) > 0 {
			t.Errorf("a device that says that it did not: %+v", o)
		}
	})
}

// TestM8Refusals: the reason is said inside by MS-CHAP and by a Result TLV, and then Failure.
func TestM8Refusals(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		tests := []struct {
			name    string
			change  func(w *world, p *phone)
			reason  member.Reason
			failure string
		}{
			{"a wrong password", func(_ *world, p *phone) { p.MSCHAPv2.Password = "wrong" }, member.ReasonWrongProof, "E=691 R=0 C="},
			{"nobody", func(_ *world, p *phone) { p.Identity, p.MSCHAPv2.Name = "bob", "bob" }, member.ReasonUnknownLogin, "E=691 R=0 C="},
			{"disabled", func(w *world, _ *phone) { w.members.Refuse(login, member.ReasonDisabled) }, member.ReasonDisabled, "E=647 R=0 C="},
			{"a wrong token", func(_ *world, p *phone) { p.MSCHAPv2, p.Token = nil, "wrong" }, member.ReasonWrongProof, ""},
		}
		for _, c := range tests {
			w, p := newWorld(), newPhone(version)
			c.change(w, p)
			o := w.login(p)
			if o.Kind != eap.Reject || o.Result.Decision.Reason != c.reason || !strings.HasPrefix(o.Result.How, "peap/eap-") {
				t.Errorf("%s: %+v", c.name, o)
			}
			if p.Result != statusFailure || p.MSCHAPv2 != nil && !strings.HasPrefix(p.MSCHAPv2.Failure, c.failure) {
				t.Errorf("%s: the device heard Result %d, %+v", c.name, p.Result, p.MSCHAPv2)
			}
		}
		w, p := newWorld(), newPhone(version)
		w.members.Silence()
		if o := w.login(p); o.Kind != eap.Unanswered || o.Packet != nil || p.Result != 0 {
			t.Errorf("members who can't say: %+v, Result %d", o, p.Result)
		}
	})
}

// TestInnerIdentityDecides, whatever the device calls itself outside (CVE-2012-4741's kind).
func TestInnerIdentityDecides(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		w, p := newWorld(), newPhone(version)
		o := w.login(p)
		if got := w.members.Asked(); !slices.Equal(got, []string{login}) || o.Identity != outer || !p.MSCHAPv2.Proved {
			t.Errorf("asked for %q, identity %q, the server's proof right: %t", got, o.Identity, p.MSCHAPv2.Proved)
		}
	})
}

func TestNoInnerMethodInCommon(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		w, p := newWorld(), newPhone(version)
		p.MSCHAPv2 = nil
		want := eap.Fault{Reason: member.ReasonNoInnerMethod, Detail: "the device offers MD5, this server MSCHAPv2, GTC"}
		if o := w.login(p); o.Kind != eap.Reject || o.Result.Fault != want || p.Result != statusFailure || o.Result.Claimed != login {
			t.Errorf("ended with %+v, Result %d", o, p.Result)
		}
	})
}

// TestFragmentsInside: both ways, in both phases, and no packet over the limit (E3).
func TestFragmentsInside(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		for _, limit := range []int{64, 100, 253, 254, 255, 600, 1024} {
			w, p := newWorld(), newPhone(version)
			w.Limit, p.Fragment = limit, limit-10
			w.Watch = func(fromServer bool, packet []byte) {
				if fromServer && len(packet) > limit {
					t.Errorf("a packet of %d octets where %d is the most", len(packet), limit)
				}
			}
			if o := w.login(p); o.Kind != eap.Accept || !bytes.Equal(o.Result.MSK, p.MSK) {
				t.Errorf("limit %d: %+v", limit, o)
			}
		}
	})
}

// TestM10OtherVersions: a device that chooses version 1 gets Failure.
func TestM10OtherVersions(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		w, p := newWorld(), newPhone(version)
		peer := p.Peer(outer)
		peer.Method = func(data []byte) []byte {
			answer := p.Answer(data)
			answer[0] |= 1
			return answer
		}
		o := w.Converse(peer)
		if o.Kind != eap.Reject || o.Result.Fault.Detail != "another version of the method than 0" {
			t.Errorf("ended with %+v", o)
		}
		p.Close()
	})
}

// TestInnerPacketsWithHeader: some devices send the whole packet inside.
func TestInnerPacketsWithHeader(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		w, p := newWorld(), newPhone(version)
		id := byte(0)
		p.Device.Inside = func(d *eaptest.Device, heard []byte) []byte {
			answer := p.PEAP.Inside(d, heard)
			if len(answer) == 0 || answer[0] == byte(eap.Response) {
				return answer
			}
			id++ // the server's inner Identifiers are its own: they count from 1
			return eap.Packet{Code: eap.Response, ID: id, Type: eap.Type(answer[0]), Data: answer[1:]}.Append(nil)
		}
		if o := w.login(p); o.Kind != eap.Accept {
			t.Errorf("ended with %+v", o)
		}
	})
}

// TestSilenceInside: an empty message where an answer was asked for ends it, at
// each step, and never with success.
func TestSilenceInside(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		for from := range 5 {
			w, p := newWorld(), newPhone(version)
			heard := 0
			p.Device.Inside = func(d *eaptest.Device, plain []byte) []byte {
				if len(plain) == 0 {
					return nil
				}
				if heard++; heard > from {
					return nil
				}
				return p.PEAP.Inside(d, plain)
			}
			o := w.login(p)
			if want := from == 4; (o.Kind == eap.Accept) != want || o.Kind != eap.Accept && o.Kind != eap.Reject {
				t.Errorf("silent from answer %d on: %+v", from, o)
			}
		}
	})
}

// TestNonsenseInside in the place of the answer to the Result TLV.
func TestNonsenseInside(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ plain, want string }{
		"a broken TLV":  {"\x02\x05\x00\x09\x21\x80\x03\x00\x09", "PEAP: a TLV that overruns the packet"},
		"no Result":     {"\x02\x05\x00\x05\x21", "PEAP: the device does not agree that it may come in"},
		"an Identity":   {"\x01anna", "PEAP: the device does not answer the Result TLV"},
		"a MSCHAPv2":    {"\x1a\x03", "PEAP: the device does not answer the Result TLV"},
		"a bad binding": {"\x02\x05\x00\x0f\x21\x80\x03\x00\x02\x00\x01\x00\x0c\x00\x00", "PEAP: a Crypto-Binding TLV of another length"},
	} {
		w, p := newWorld(), newPhone(tls.VersionTLS12)
		p.Device.Inside = func(d *eaptest.Device, heard []byte) []byte {
			answer := p.PEAP.Inside(d, heard)
			if p.Result != 0 {
				return []byte(c.plain)
			}
			return answer
		}
		if o := w.login(p); o.Kind != eap.Reject || o.Result.Fault.Detail != c.want {
			t.Errorf("%s: %+v, want %q", name, o, c.want)
		}
	}
}
