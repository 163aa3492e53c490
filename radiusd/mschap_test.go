package radiusd

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"testing"

	"memberradius/member"
	"memberradius/mschap"
	"memberradius/radiusd/radiustest"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// RFC 2759 §9.2's exchange on the wire: M1 and M3, S= in upper case behind the
// Ident of the response, and only in an Access-Accept.
func TestM1M3RFC2759(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	response := make([]byte, 50)
	response[0] = 0x42
	copy(response[2:], unhex(t, "21402324255E262A28295F2B3A337C7E"))
	copy(response[26:], unhex(t, "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF"))
	p := access().Add(typeUserName, []byte("User")).
		AddVendor(vendorMicrosoft, msCHAPChallenge, unhex(t, "5B5D7C7D7B3F2F3E3C2C602132262628")).
		AddVendor(vendorMicrosoft, msCHAP2Response, response)
	raw := r.exchange(r.wire(0), mustEncode(t, p))
	reply := &radiustest.Reply{Raw: raw}
	success := reply.VendorValues(vendorMicrosoft, msCHAP2Success)
	if len(success) != 1 || string(success[0]) != "\x42S=407A5589115FD0D6209F510FE9C04566932CDA56" {
		t.Errorf("MS-CHAP2-Success = %q", success)
	}
	for _, kind := range []byte{msMPPESendKey, msMPPERecvKey, msMPPEEncryptionPolicy, msMPPEEncryptionTypes} {
		if v := reply.VendorValues(vendorMicrosoft, kind); len(v) != 1 {
			t.Errorf("attribute %d: % x", kind, v)
		}
	}
	refused := r.ask(&radiustest.Request{Method: radiustest.MSCHAPv2, Login: "user", Password: "x"})
	if v := refused.VendorValues(vendorMicrosoft, msCHAP2Success); v != nil {
		t.Errorf("a reject has MS-CHAP2-Success %q", v)
	}
	failure := refused.VendorValues(vendorMicrosoft, msCHAPError)
	if len(failure) != 1 || !regexp.MustCompile(`(?s)^.E=691 R=0 C=[0-9A-F]{32} V=3 M=Login or password is wrong\.$`).Match(failure[0]) {
		t.Errorf("MS-CHAP-Error = %q", failure)
	}
}

// M2: sizes other than 16 and 50, and what must be zero and is not, are refused.
func TestM2Sizes(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	ask := func(challenge, response []byte) radiustest.Code {
		return r.code(access().Add(typeUserName, []byte("bob")).
			AddVendor(vendorMicrosoft, msCHAPChallenge, challenge).AddVendor(vendorMicrosoft, msCHAP2Response, response))
	}
	refused := func(n, right int, code radiustest.Code) {
		want := member.ReasonMalformed
		if n == right {
			want = member.ReasonWrongProof
		}
		if why := r.Why("bob", 1)[0]; code != radiustest.AccessReject || why.Reason != want {
			t.Errorf("%d octets where %d are right: %v, %v", n, right, code, why.Reason)
		}
	}
	for n := range maxVendorValue + 1 {
		refused(n, challengeSizeV2, ask(make([]byte, n), make([]byte, 50)))
		refused(n, ms2ResponseSize, ask(make([]byte, 16), make([]byte, n)))
	}
	for _, at := range []int{1, 18, 25} {
		q := &radiustest.Request{Method: radiustest.MSCHAPv2, Login: "user", Password: "clientPass"}
		good := r.sign(q, 1).Bytes
		i := bytes.LastIndex(good, []byte{msCHAP2Response, 52}) + 2
		p := access().Add(typeUserName, []byte("user"))
		response := bytes.Clone(good[i : i+50])
		response[at] = 1
		c := bytes.Index(good, []byte{msCHAPChallenge, 18}) + 2
		p.AddVendor(vendorMicrosoft, msCHAPChallenge, good[c:c+16]).AddVendor(vendorMicrosoft, msCHAP2Response, response)
		if code := r.code(p); code != radiustest.AccessReject {
			t.Errorf("octet %d not zero: %v", at, code)
		}
		if why := r.Why("user", 1); why[0].Reason != member.ReasonMalformed {
			t.Errorf("octet %d not zero: %v", at, why[0].Reason)
		}
	}
}

// M4: the codes of the table, after a right proof only.
func TestM4Codes(t *testing.T) {
	t.Parallel()
	reasons := map[member.Reason]int{
		member.ReasonOutOfHours: 646, member.ReasonNotYetValid: 646, member.ReasonDisabled: 647,
		member.ReasonExpired: 648, member.ReasonWrongSSID: 649, member.ReasonGate: 649, member.ReasonNoPlan: 649,
	}
	r := startRig(t, quick, func(_ *Config, _ *ClientConfig, m *members) {
		for reason := range reasons {
			m.answers[reason.String()] = member.Answer{
				Verdict: member.Deny, Reason: reason, Credential: &member.Credential{Password: "hello"},
			}
		}
	})
	for reason, code := range reasons {
		for password, want := range map[member.Secret]int{"hello": code, "wrong": 691} {
			reply := r.ask(&radiustest.Request{Method: radiustest.MSCHAPv2, Login: reason.String(), Password: password})
			if reply.Error == nil || reply.Error.Code != want || len(reply.Error.Challenge) != 32 {
				t.Errorf("%v, password %s: %v, want E=%d", reason, string(password), reply.Error, want)
			}
		}
	}
}

// M5: the name in the challenge hash is without DOMAIN\, its case kept.
func TestM5Name(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, func(_ *Config, _ *ClientConfig, m *members) {
		for _, l := range []string{`corp\bob`, "bob@x"} {
			m.records[l] = &member.Record{Credential: member.Credential{Password: "hello"}}
		}
	})
	tests := []struct {
		login, hashed string
		want          radiustest.Code
	}{
		{`CORP\Bob`, "Bob", radiustest.AccessAccept},
		{`CORP\Bob`, "bob", radiustest.AccessReject},
		{`CORP\Bob`, `CORP\Bob`, radiustest.AccessReject},
		{"Bob@X", "Bob@X", radiustest.AccessAccept},
		{"Bob@X", "bob@x", radiustest.AccessReject},
		{"Bob@X", "Bob", radiustest.AccessReject},
	}
	for _, tt := range tests {
		reply := r.ask(&radiustest.Request{Method: radiustest.MSCHAPv2, Login: tt.login, ChallengeName: tt.hashed, Password: "hello"})
		if reply.Code != tt.want {
			t.Errorf("%s, hashed as %s: %v", tt.login, tt.hashed, reply.Code)
		}
	}
}

// P17: every salt has its highest bit set, and those of one packet differ (RFC 2548 §2.4.2).
func TestP17Salts(t *testing.T) {
	r, requests := hotPath(t, radiustest.MSCHAPv2)
	var m memory
	for i := range 10_000 {
		reply := radiustest.Reply{Raw: m.handle(r, bytes.Clone(requests[i%len(requests)]))[0]}
		send := reply.VendorValues(vendorMicrosoft, msMPPESendKey)
		recv := reply.VendorValues(vendorMicrosoft, msMPPERecvKey)
		if len(send) != 1 || len(recv) != 1 {
			t.Fatalf("accept %d: %d and %d keys", i, len(send), len(recv))
		}
		if send[0][0]&0x80 == 0 || recv[0][0]&0x80 == 0 || bytes.Equal(send[0][:2], recv[0][:2]) {
			t.Fatalf("accept %d: salts % x and % x", i, send[0][:2], recv[0][:2])
		}
	}
}

// Where the member system proved the response itself its nt_key gives the same
// keys; without one nothing can be said.
func TestProvedByTheMemberSystem(t *testing.T) {
	t.Parallel()
	key := member.Hash(mschap.HashHash(mschap.NTHash("clientPass")))
	r := startRig(t, quick, func(_ *Config, _ *ClientConfig, m *members) {
		m.answers["rest"] = member.Answer{Verdict: member.Allow, Proved: true, NTKey: &key}
		m.answers["nokey"] = member.Answer{Verdict: member.Allow, Proved: true}
		m.answers["no"] = member.Answer{Verdict: member.Deny, Reason: member.ReasonRefused, Message: "Your invoice is open.\x00\u202e"}
		m.answers["unproved"] = member.Answer{Verdict: member.Allow}
	})
	v2 := func(login string) *radiustest.Request {
		return &radiustest.Request{Method: radiustest.MSCHAPv2, Login: login, Password: "clientPass"}
	}
	reply := r.ask(v2("rest"))
	if reply.Code != radiustest.AccessAccept || reply.Success != radiustest.Right || reply.Keys != radiustest.Right {
		t.Errorf("%v, success %v, keys %v", reply.Code, reply.Success, reply.Keys)
	}
	if raw := r.exchange(r.wire(0), r.sign(v2("nokey"), 1).Bytes); raw != nil {
		t.Error("an answer without nt_key is passed on")
	}
	if why := r.Why("nokey", 1); why[0].Reason != member.ReasonNoNTKey || why[0].Verdict != member.Unanswered {
		t.Errorf("%+v", why)
	}
	for _, method := range []radiustest.Method{radiustest.PAP, radiustest.MSCHAPv2} {
		reply := r.ask(&radiustest.Request{Method: method, Login: "no", Password: "x"})
		if reply.Code != radiustest.AccessReject || reply.Message != "Your invoice is open." {
			t.Errorf("%s: %v %q", method, reply.Code, reply.Message)
		}
		if method == radiustest.MSCHAPv2 && (reply.Error.Code != 691 || reply.Error.Message != "Your invoice is open.") {
			t.Errorf("%v", reply.Error)
		}
		if reply := r.ask(&radiustest.Request{Method: method, Login: "unproved", Password: "x"}); reply.Code != radiustest.AccessReject {
			t.Errorf("%s: Allow without a proof and without a credential: %v", method, reply.Code)
		}
	}
}
