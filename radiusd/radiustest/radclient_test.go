package radiustest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"memberradius/member"
)

func TestRadclient(t *testing.T) {
	t.Parallel()
	server := anna()
	server.edit = func(p *Packet) {
		if p.Code == AccessAccept {
			p.Add(typeReplyMessage, []byte(`Hello "anna"`)).Add(typeSessionTimeout, []byte{0, 0, 14, 16})
		}
	}
	silent := respond(t, func([]byte) [][]byte { return nil })
	address := respond(t, server.answer).addr()
	for _, c := range []struct {
		name, attribute, value string
		want                   Code
	}{
		{"PAP", "User-Password", `"correct horse"`, AccessAccept},
		{"PAP wrong", "User-Password", "wrong", AccessReject},
		{"MS-CHAP", "MS-CHAP-Password", `"correct horse"`, AccessAccept},
		{"MS-CHAP wrong", "MS-CHAP-Password", "wrong", AccessReject},
	} {
		q := RadclientQuery{Server: address, Secret: testSecret,
			Attributes: []member.Attribute{{Name: "User-Name", Value: "anna"}, {Name: c.attribute, Value: c.value}, {Name: "Message-Authenticator", Value: "0x00"}}}
		answer := Radclient(t, q)
		if answer.Code != c.want {
			t.Errorf("%s: %s, want %s:\n%s", c.name, answer.Code, c.want, answer.Output)
		}
		message, timeout := strings.Join(answer.Get("reply-message"), "|"), strings.Join(answer.Get("Session-Timeout"), "|")
		if c.want == AccessAccept && (message != `Hello "anna"` || timeout != "3600") {
			t.Errorf("%s: Reply-Message %q, Session-Timeout %q:\n%s", c.name, message, timeout, answer.Output)
		}
	}
	answer := Radclient(t, RadclientQuery{Server: silent.addr(), Secret: testSecret, Timeout: 50 * time.Millisecond,
		Attributes: []member.Attribute{{Name: "User-Name", Value: "anna"}}})
	if answer.Code != 0 || len(silent.requests()) != 1 {
		t.Errorf("%s after %d requests:\n%s", answer.Code, len(silent.requests()), answer.Output)
	}
}

// said is a TB that keeps what a test would be told.
type said struct{ skipped, failed string }

func (s *said) Helper()                      {}
func (s *said) Skipf(f string, args ...any)  { s.skipped = fmt.Sprintf(f, args...) }
func (s *said) Fatalf(f string, args ...any) { s.failed = fmt.Sprintf(f, args...) }

func TestRadclient_Missing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, c := range []struct {
		ci   string
		skip bool
	}{{"", true}, {"true", false}} {
		t.Setenv("CI", c.ci)
		var tb said
		if answer := Radclient(&tb, RadclientQuery{}); answer != nil {
			t.Errorf("CI=%q: an answer without radclient", c.ci)
		}
		if strings.Contains(tb.skipped, "freeradius-utils") != c.skip || strings.Contains(tb.failed, "freeradius-utils") == c.skip {
			t.Errorf("CI=%q: skipped %q, failed %q", c.ci, tb.skipped, tb.failed)
		}
	}
}
