package ttls

import (
	"crypto/tls"
	"testing"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/member"
)

// TestT8ImplicitChallenge: a challenge that the device has chosen is one that it
// heard elsewhere, and its response is not even looked at (RFC 5281 §11.2).
func TestT8ImplicitChallenge(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		changes := map[string]func([]byte){
			"the first octet": func(b []byte) { b[0] ^= 1 },
			"the last octet":  func(b []byte) { b[len(b)-2] ^= 0x80 },
			"the Ident":       func(b []byte) { b[len(b)-1] ^= 1 },
			"one of zeros":    func(b []byte) { clear(b) },
		}
		for what, change := range changes {
			for how, say := range map[string]inside{"chap": sayCHAP(password, change), "mschap": sayMSCHAP(password, change), "mschapv2": sayMSCHAPv2(password, change)} {
				w := newWorld()
				_, o := w.login(version, say)
				want := eap.Fault{Reason: member.ReasonEAP, Detail: "TTLS: the challenge is not the tunnel's own"}
				if o.Kind != eap.Reject || o.Result.Fault != want || len(w.members.Asked()) != 0 {
					t.Errorf("%s, %s: %+v, asked for %q", how, what, o, w.members.Asked())
				}
			}
		}
	})
}

// TestSizesInside: no length that a device may choose makes it panic, or lets it in.
func TestSizesInside(t *testing.T) {
	t.Parallel()
	tests := map[string]func(d *eaptest.Device) []byte{
		"CHAP without a challenge": func(d *eaptest.Device) []byte {
			return eaptest.AVPs(name(login), eaptest.AVP{Code: eaptest.CodeCHAPPassword, Data: make([]byte, 17)})
		},
		"CHAP of 16": func(d *eaptest.Device) []byte {
			text, _ := challenge(d, 16, nil)
			return eaptest.AVPs(name(login), eaptest.AVP{Code: eaptest.CodeChallenge, Data: text}, eaptest.AVP{Code: eaptest.CodeCHAPPassword, Data: make([]byte, 16)})
		},
		"MS-CHAP of 49": func(d *eaptest.Device) []byte {
			text, ident := challenge(d, 8, nil)
			return eaptest.AVPs(name(login), microsoft(eaptest.CodeMSChallenge, text), microsoft(eaptest.CodeMSResponse, append([]byte{ident}, make([]byte, 48)...)))
		},
		"MS-CHAP with the challenge of version 2": func(d *eaptest.Device) []byte {
			text, ident := challenge(d, 16, nil)
			return eaptest.AVPs(name(login), microsoft(eaptest.CodeMSChallenge, text), microsoft(eaptest.CodeMSResponse, append([]byte{ident}, make([]byte, 49)...)))
		},
		"MS-CHAPv2 of 51": func(d *eaptest.Device) []byte {
			text, ident := challenge(d, 16, nil)
			return eaptest.AVPs(name(login), microsoft(eaptest.CodeMSChallenge, text), microsoft(eaptest.CodeMS2Response, append([]byte{ident}, make([]byte, 50)...)))
		},
		"MS-CHAPv2 of nothing": func(d *eaptest.Device) []byte {
			text, _ := challenge(d, 16, nil)
			return eaptest.AVPs(name(login), microsoft(eaptest.CodeMSChallenge, text), microsoft(eaptest.CodeMS2Response, []byte{}))
		},
	}
	for what, say := range tests {
		w := newWorld()
		if _, o := w.login(tls.VersionTLS12, once(say)); o.Kind != eap.Reject || o.Result.Fault.Detail != "TTLS: the challenge is not the tunnel's own" || len(w.members.Asked()) != 0 {
			t.Errorf("%s: %+v", what, o)
		}
	}
}

func TestWhatIsRefusedInside(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		mandatory := eaptest.AVP{Code: 200, Data: []byte("?")}
		tests := []struct {
			what   string
			say    inside
			reason member.Reason
			detail string
		}{
			{"nothing", nil, member.ReasonEAP, "TTLS: the device says nothing inside the tunnel"},
			{"a name alone", once(func(*eaptest.Device) []byte { return eaptest.AVPs(name(login)) }), member.ReasonNoInnerMethod, "the device's is none of PAP, CHAP, MSCHAP, MSCHAPv2 and EAP"},
			{"no name", once(func(*eaptest.Device) []byte {
				return eaptest.AVPs(eaptest.AVP{Code: eaptest.CodeUserPassword, Data: []byte(password)})
			}), member.ReasonEAP, "TTLS: no User-Name inside the tunnel"},
			{"a mandatory unknown", once(func(*eaptest.Device) []byte { return eaptest.AVPs(name(login), mandatory) }), member.ReasonEAP, "TTLS: a mandatory AVP that is unknown here: 200 of vendor 0"},
			{"half an AVP", once(func(*eaptest.Device) []byte { return eaptest.AVPs(name(login))[:9] }), member.ReasonEAP, "TTLS: an AVP that overruns the message"},
			{"no EAP packet", once(func(*eaptest.Device) []byte {
				return eaptest.AVPs(eaptest.AVP{Code: eaptest.CodeEAPMessage, Data: []byte("?")})
			}), member.ReasonEAP, "TTLS: inside, eap: malformed packet: 1 octets"},
			{"an EAP method that is not here", sayEAP(nil, ""), member.ReasonNoInnerMethod, "the device offers MD5, this server MSCHAPv2, GTC"},
		}
		for _, c := range tests {
			w := newWorld()
			_, o := w.login(version, c.say)
			if o.Kind != eap.Reject || o.Result.Fault != (eap.Fault{Reason: c.reason, Detail: c.detail}) {
				t.Errorf("%s: %+v, want %q", c.what, o, c.detail)
			}
			if got := w.members.Asked(); len(got) != 0 {
				t.Errorf("%s: asked for %q", c.what, got)
			}
			if claimed := c.reason == member.ReasonNoInnerMethod && c.what != "a name alone"; (o.Result.Claimed == login) != claimed {
				t.Errorf("%s: claimed to be %q", c.what, o.Result.Claimed)
			}
		}
	})
}

// TestNoTurningBack: a device that has begun with EAP inside does not end with PAP.
func TestNoTurningBack(t *testing.T) {
	t.Parallel()
	w, n := newWorld(), 0
	first, second := sayEAP(&eaptest.MSCHAPv2{Name: login}, ""), eaptest.PAP(login, password)
	_, o := w.login(tls.VersionTLS12, func(d *eaptest.Device, heard []byte) []byte {
		if n++; n == 1 {
			return first(d, heard)
		}
		return second(d, heard)
	})
	if o.Kind != eap.Reject || o.Result.Fault.Reason != member.ReasonEAP || len(w.members.Asked()) != 0 {
		t.Errorf("ended with %+v", o)
	}
}
