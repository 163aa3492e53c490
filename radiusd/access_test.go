package radiusd

import (
	"strings"
	"testing"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

func TestPAP(t *testing.T) {
	t.Parallel()
	r := startRig(t)
	tests := []struct {
		login    string
		password member.Secret
		want     radiustest.Code
		message  string
		reason   member.Reason
	}{
		{"bob", "hello", radiustest.AccessAccept, "", member.ReasonNone},
		{"BOB", "hello", radiustest.AccessAccept, "", member.ReasonNone},
		{"bob", "Hello", radiustest.AccessReject, "Login or password is wrong.", member.ReasonWrongProof},
		{"nobody", "hello", radiustest.AccessReject, "Login or password is wrong.", member.ReasonUnknownLogin},
		{"hash", "clientPass", radiustest.AccessAccept, "", member.ReasonNone},
		{"hash", "clientpass", radiustest.AccessReject, "Login or password is wrong.", member.ReasonWrongProof},
		{"empty", "hello", radiustest.AccessReject, "Login or password is wrong.", member.ReasonNoCredential},
		{"disabled", "hello", radiustest.AccessReject, "The membership is suspended.", member.ReasonDisabled},
		{"disabled", "wrong", radiustest.AccessReject, "Login or password is wrong.", member.ReasonWrongProof},
		{"expired", "hello", radiustest.AccessReject, "The membership has ended.", member.ReasonExpired},
	}
	for _, tt := range tests {
		reply := r.ask(&radiustest.Request{Method: radiustest.PAP, Login: tt.login, Password: tt.password})
		if reply.Code != tt.want || reply.Message != tt.message {
			t.Errorf("%s: %v %q, want %v %q", tt.login, reply.Code, reply.Message, tt.want, tt.message)
		}
		why := r.Why(tt.login, 1)
		if len(why) != 1 || why[0].Reason != tt.reason {
			t.Errorf("%s: why %+v, want reason %v", tt.login, why, tt.reason)
		}
	}
}

func TestMSCHAPv2(t *testing.T) {
	t.Parallel()
	r := startRig(t)
	for _, login := range []string{"user", "USER", "hash"} {
		reply := r.ask(&radiustest.Request{Method: radiustest.MSCHAPv2, Login: login, Password: "clientPass"})
		if reply.Code != radiustest.AccessAccept || reply.Success != radiustest.Right || reply.Keys != radiustest.Right {
			t.Errorf("%s: %v, success %v, keys %v", login, reply.Code, reply.Success, reply.Keys)
		}
	}
	refusals := []struct {
		login    string
		password member.Secret
		code     int
	}{
		{"user", "wrong", 691}, {"nobody", "clientPass", 691}, {"disabled", "wrong", 691},
		{"disabled", "hello", 647}, {"expired", "hello", 648}, {"argon", "hello", 691},
	}
	for _, tt := range refusals {
		reply := r.ask(&radiustest.Request{Method: radiustest.MSCHAPv2, Login: tt.login, Password: tt.password})
		e := reply.Error
		if reply.Code != radiustest.AccessReject || e == nil {
			t.Errorf("%s: %v without MS-CHAP-Error", tt.login, reply.Code)
			continue
		}
		if e.Code != tt.code || e.Retry || e.Version != 3 || len(e.Challenge) != 32 || e.Message == "" || strings.ToUpper(e.Challenge) != e.Challenge {
			t.Errorf("%s: %v challenge of %d digits, want E=%d", tt.login, e, len(e.Challenge), tt.code)
		}
	}
}

// What a member system says of somebody who has proved nothing sounds the same
// for all, whatever its reason.
func TestNothingIsToldBeforeTheProof(t *testing.T) {
	t.Parallel()
	reasons := []member.Reason{member.ReasonDisabled, member.ReasonExpired, member.ReasonUnknownLogin, member.ReasonNone}
	r := startRig(t, quick, func(_ *Config, _ *ClientConfig, m *members) {
		for _, reason := range reasons {
			m.answers[reason.String()] = member.Answer{Verdict: member.Deny, Reason: reason}
		}
	})
	for _, reason := range reasons {
		reply := r.ask(&radiustest.Request{Method: radiustest.MSCHAPv2, Login: reason.String(), Password: "x"})
		if reply.Message != member.ReasonWrongProof.Message() || reply.Error == nil || reply.Error.Code != 691 || reply.Error.Message != reply.Message {
			t.Errorf("%v: %q, %v", reason, reply.Message, reply.Error)
		}
		want := reason
		if reason == member.ReasonNone {
			want = member.ReasonRefused
		}
		if why := r.Why(reason.String(), 1)[0]; why.Reason != want || why.Proved {
			t.Errorf("%v: explained by %v", reason, why.Reason)
		}
	}
}

// An empty attribute is left out (P10), and one that does not fit ends the reply.
func TestReplyRoom(t *testing.T) {
	t.Parallel()
	var p reply
	p.begin(make([]byte, 0, maxPacket), codeAccessAccept, 1, false)
	n := len(p.b)
	p.add(typeReplyMessage, nil)
	p.add(typeReplyMessage, make([]byte, maxValue+1))
	if len(p.b) != n || p.over {
		t.Errorf("%d octets more, over %v", len(p.b)-n, p.over)
	}
	for range maxPacket {
		p.add(typeReplyMessage, []byte("x"))
	}
	if !p.over || len(p.b) > maxPacket {
		t.Errorf("%d octets, over %v", len(p.b), p.over)
	}
}
