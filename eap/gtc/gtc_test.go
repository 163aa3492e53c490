package gtc

import (
	"strings"
	"testing"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/member"
)

func TestGTC(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 128)
	tests := []struct {
		name, login, answer string
		want                eap.Kind
		reason              member.Reason
		detail              string
	}{
		{"the password", "anna", "pässword", eap.Accept, member.ReasonNone, ""},
		{"the longest", "long", long, eap.Accept, member.ReasonNone, ""},
		{"a wrong one", "anna", "password", eap.Reject, member.ReasonWrongProof, ""},
		{"one with a NUL", "anna", "pässword\x00", eap.Reject, member.ReasonWrongProof, ""},
		{"nobody", "bob", "pässword", eap.Reject, member.ReasonUnknownLogin, ""},
		{"none", "anna", "", eap.Reject, member.ReasonNone, "EAP-GTC: a password of no octets, or of more than 128"},
		{"129 octets", "long", long + "x", eap.Reject, member.ReasonNone, "EAP-GTC: a password of no octets, or of more than 128"},
	}
	for _, c := range tests {
		members := &eaptest.Members{Passwords: map[string]string{"anna": "pässword", "long": long}}
		x := &eap.Exchange{Decider: members, Identity: c.login, Limit: 1024, Now: eaptest.Now()}
		talk := Method{}.Start()
		if turn := talk.Next(nil, x); turn.Kind != eap.Ask || string(turn.Data) != "Password: " {
			t.Fatalf("%s: asked with %+v", c.name, turn)
		}
		turn := talk.Next([]byte(c.answer), x)
		r := turn.Result
		if turn.Kind != c.want || r.Decision.Reason != c.reason || r.Fault.Detail != c.detail || len(r.MSK) > 0 {
			t.Errorf("%s: %+v", c.name, turn)
		}
		if asked := len(members.Asked()); (asked == 0) != (c.detail != "") || c.detail == "" && r.How != "eap-gtc" {
			t.Errorf("%s: %d were asked, %q", c.name, asked, r.How)
		}
		talk.End()
	}
	members := &eaptest.Members{}
	members.Silence()
	x := &eap.Exchange{Decider: members, Identity: "anna"}
	talk := Method{}.Start()
	talk.Next(nil, x)
	if turn := talk.Next([]byte("x"), x); turn.Kind != eap.Unanswered {
		t.Errorf("members who can't say: %+v", turn)
	}
	if (Method{}).Type() != eap.GTC {
		t.Error("the type is another one")
	}
}
