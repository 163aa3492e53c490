package radiusd

import (
	"bytes"
	"testing"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

func withCHAP(_ *Config, c *ClientConfig, _ *members) { c.Methods = append(c.Methods, "chap") }

// The sums are of md5sum over identifier, password and challenge (RFC 1994
// §4.1), and so of nothing that is ours. The challenge is CHAP-Challenge, of any
// length, else the Request Authenticator (RFC 2865 §5.40).
func TestCHAPKnownAnswers(t *testing.T) {
	t.Parallel()
	const long = "p\x00\u00e4ss w\u00f6rd of more than sixty-four octets, so that MD5 needs more blocks"
	r := startRig(t, quick, withCHAP, func(_ *Config, _ *ClientConfig, m *members) {
		m.records["long"] = &member.Record{Credential: member.Credential{Password: long}}
	})
	up := make([]byte, 16)
	for i := range up {
		up[i] = byte(i)
	}
	for _, tt := range []struct {
		login     string
		id        byte
		challenge []byte
		sum       string
	}{
		{"bob", 0x17, up, "eacf84104709320e455f36f7650ca393"},
		{"bob", 0x00, []byte{1, 2, 3, 4, 5}, "95fc180b15c749d244c75d01b25cc4a8"},
		{"bob", 0xff, bytes.Repeat([]byte{0xaa}, 253), "56b297b22b8dab3a901768ad80dd7ee6"},
		{"long", 0x01, up, "5ba15668e1b787ff1a7327d3b4f03ed4"},
	} {
		for _, authenticator := range []bool{false, true} {
			if authenticator && len(tt.challenge) != authenticatorSize {
				continue
			}
			for bit := range 8 * chapPasswordSize {
				response := append([]byte{tt.id}, unhex(t, tt.sum)...)
				want := radiustest.AccessAccept
				if bit > 0 { // the first time nothing is changed
					response[bit/8] ^= 1 << (bit % 8)
					want = radiustest.AccessReject
				}
				p := access()
				p.Add(typeUserName, []byte(tt.login)).Add(typeCHAPPassword, response)
				if authenticator {
					copy(p.Authenticator[:], tt.challenge)
				} else {
					p.Add(typeCHAPChallenge, tt.challenge)
				}
				if code := r.code(p); code != want {
					t.Fatalf("%s, challenge of %d octets, bit %d: %v, want %v", tt.login, len(tt.challenge), bit, code, want)
				}
			}
		}
	}
}

// A challenge in CHAP-Challenge counts, whatever the Request Authenticator is.
func TestCHAPChallengeComesFirst(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, withCHAP)
	sent := r.sign(&radiustest.Request{Method: radiustest.CHAP, Login: "bob", Password: "hello", ChallengeSize: -1,
		Edit: func(p *radiustest.Packet) { p.Add(typeCHAPChallenge, make([]byte, 16)) }}, 1)
	if reply := r.exchange(r.wire(0), sent.Bytes); reply == nil || reply[0] != codeAccessReject {
		t.Errorf("a response to the Request Authenticator beside another challenge: % x", reply)
	}
}

// Who gets in by CHAP: members whose password is stored in clear. It is asked
// of member systems as PAP is, with a proof that they can check.
func TestCHAPOutcomes(t *testing.T) {
	t.Parallel()
	var proof member.Proof
	r := startRig(t, quick, withCHAP, func(_ *Config, _ *ClientConfig, m *members) {
		m.answers["proved"] = member.Answer{Verdict: member.Allow, Proved: true}
		m.answers["asked"] = member.Answer{Verdict: member.Deny, Reason: member.ReasonRefused}
		m.attempt = func(a member.Attempt) {
			if a.Login == "asked" {
				proof = a.Proof
				proof.CHAP.Challenge = member.Secret([]byte(proof.CHAP.Challenge))
			}
		}
	})
	for _, tt := range []struct {
		login    string
		password member.Secret
		message  string
		reason   member.Reason
	}{
		{"bob", "hello", "", member.ReasonNone},
		{"BOB", "hello", "", member.ReasonNone},
		{"proved", "anything", "", member.ReasonNone},
		{"bob", "Hello", "Login or password is wrong.", member.ReasonWrongProof},
		{"bob", "", "Login or password is wrong.", member.ReasonWrongProof},
		{"nobody", "hello", "Login or password is wrong.", member.ReasonUnknownLogin},
		{"hash", "clientPass", "Login or password is wrong.", member.ReasonNoCredential},
		{"argon", "hello", "Login or password is wrong.", member.ReasonNoCredential},
		{"empty", "", "Login or password is wrong.", member.ReasonNoCredential},
		{"disabled", "hello", "The membership is suspended.", member.ReasonDisabled},
		{"disabled", "wrong", "Login or password is wrong.", member.ReasonWrongProof},
		{"expired", "hello", "The membership has ended.", member.ReasonExpired},
		{"asked", "hello", "Login or password is wrong.", member.ReasonRefused},
	} {
		for _, size := range []int{0, -1, 5, 253} {
			reply := r.ask(&radiustest.Request{Method: radiustest.CHAP, Login: tt.login, Password: tt.password, ChallengeSize: size})
			want := radiustest.AccessReject
			if tt.reason == member.ReasonNone {
				want = radiustest.AccessAccept
			}
			if reply.Code != want || reply.Message != tt.message {
				t.Errorf("%s, challenge of %d: %v %q, want %v %q", tt.login, size, reply.Code, reply.Message, want, tt.message)
			}
			if d := r.Why(tt.login, 1)[0]; d.Reason != tt.reason || d.Method != "chap" {
				t.Errorf("%s: %v by %s, want %v by chap", tt.login, d.Reason, d.Method, tt.reason)
			}
		}
	}
	if c := proof.CHAP; proof.Kind != member.CHAP || len(c.Challenge) != 253 || proof.Password != "" {
		t.Errorf("member systems are asked with kind %v and a challenge of %d octets", proof.Kind, len(c.Challenge))
	}
}

// Sizes that no CHAP has are refused.
func TestCHAPSizes(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, withCHAP)
	try := func(password, challenge int, want member.Reason) {
		p := access().Add(typeUserName, []byte("bob")).Add(typeCHAPPassword, make([]byte, password))
		if challenge >= 0 {
			p.Add(typeCHAPChallenge, make([]byte, challenge))
		}
		if code := r.code(p); code != radiustest.AccessReject {
			t.Errorf("CHAP-Password of %d, challenge of %d: %v", password, challenge, code)
		}
		if d := r.Why("bob", 1)[0]; d.Reason != want {
			t.Errorf("CHAP-Password of %d, challenge of %d: %v, want %v", password, challenge, d.Reason, want)
		}
	}
	for n := range maxValue + 1 {
		password, challenge := member.ReasonMalformed, member.ReasonWrongProof
		if n == chapPasswordSize {
			password = member.ReasonWrongProof
		}
		if n < minCHAPChallenge {
			challenge = member.ReasonMalformed
		}
		try(n, 16, password)
		try(n, -1, password)
		try(chapPasswordSize, n, challenge)
	}
}

// Debian's radclient is a NAS that speaks CHAP.
func TestCHAPByRadclient(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, withCHAP)
	for password, want := range map[string]radiustest.Code{"hello": radiustest.AccessAccept, "Hello": radiustest.AccessReject} {
		for _, challenge := range []string{"", "0x0102030405060708", "0x000102030405060708090a0b0c0d0e0f1011121314"} {
			q := radiustest.RadclientQuery{Server: r.Addrs()[0], Secret: rigSecret, Attributes: []member.Attribute{
				{Name: "User-Name", Value: "bob"}, {Name: "CHAP-Password", Value: password}, {Name: "Message-Authenticator", Value: "0x00"},
			}}
			if challenge != "" {
				q.Attributes = append(q.Attributes, member.Attribute{Name: "CHAP-Challenge", Value: challenge})
			}
			if answer := radiustest.Radclient(t, q); answer.Code != want {
				t.Errorf("password %s, challenge %q: %v, want %v\n%s", password, challenge, answer.Code, want, answer.Output)
			}
		}
	}
}
