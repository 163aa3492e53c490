package store

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"memberradius/member"
)

func fixedTicket(tb testing.TB) ticket {
	tb.Helper()
	octets := bytes.Repeat([]byte{0xfb, 0xff, 0x10}, 20)
	s := &Store{now: func() time.Time { return time.UnixMilli(0x017F22E279B0) }, random: bytes.NewReader(octets)}
	t, err := s.newTicket()
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func TestTicketForms(t *testing.T) {
	t.Parallel()
	at := fixedTicket(t)
	// The forms are fixed: tokens are in people's scripts.
	const token = "mr_017f22e279b07bff90fbff10fbff10fb_" + "_xD7_xD7_xD7_xD7_xD7_xD7_xD7_xD7_xD7_xD7_xA"
	const text = "AX8i4nmwe_-Q-_8Q-_8Q-_8Q-_8Q-_8Q-_8Q-_8Q-_8Q-_8Q-_8Q-_8Q-_8Q-_8Q"
	if string(at.token()) != token || len(token) != tokenLength {
		t.Errorf("token %s", string(at.token()))
	}
	if string(at.text()) != text {
		t.Errorf("text %s", string(at.text()))
	}
	if got := fmt.Sprintf("%v %+v %s %x", at, &at, at, at); strings.Contains(got, "fb") {
		t.Errorf("it prints as %s", got)
	}
	other := at
	other.secret[31] ^= 1
	if !at.proves(at.digest()) || at.proves(other.digest()) || at.proves(nil) {
		t.Error("a digest is taken for another's")
	}
	if bytes.Contains(at.digest(), at.secret[:4]) {
		t.Error("the digest holds the secret")
	}
	s := &Store{now: time.Now, random: rand.Reader}
	if a, err := s.newTicket(); err != nil || a.proves(at.digest()) {
		t.Errorf("two alike, or %v", err)
	}
	for n := range 42 {
		s.random = bytes.NewReader(make([]byte, n))
		if _, err := s.newTicket(); err == nil {
			t.Errorf("a ticket of %d octets of randomness", n)
		}
	}
}

// TestTicketTruncated wants every beginning and every change of one character
// to be refused, or to be another ticket.
func TestTicketTruncated(t *testing.T) {
	t.Parallel()
	at := fixedTicket(t)
	for name, form := range map[string]struct {
		text  string
		parse func(member.Secret) (ticket, bool)
	}{
		"token": {string(at.token()), parseToken}, "text": {string(at.text()), parseTicket},
	} {
		got, ok := form.parse(member.Secret(form.text))
		if !ok || got.id != at.id || !got.proves(at.digest()) {
			t.Errorf("%s does not come back", name)
		}
		for i := range form.text {
			for _, bad := range []string{form.text[:i], form.text[:i] + "!" + form.text[i+1:], form.text[:i] + "\n" + form.text[i:], form.text[:i] + "\n" + form.text[i+1:]} {
				if _, ok := form.parse(member.Secret(bad)); ok {
					t.Errorf("%s %q is taken", name, bad)
				}
			}
			bad := form.text[:i] + "B" + form.text[i+1:]
			if got, ok := form.parse(member.Secret(bad)); ok && got.id == at.id && got.proves(at.digest()) {
				t.Errorf("%s %q is the same", name, bad)
			}
		}
		if _, ok := form.parse(member.Secret(form.text + "A")); ok {
			t.Errorf("%s: one character too many is taken", name)
		}
	}
}

func FuzzTicket_NoPanic(f *testing.F) {
	at := fixedTicket(f)
	f.Add(string(at.token()))
	f.Add(string(at.text()))
	f.Add("mr_")
	f.Add(strings.Repeat("A", 64))
	f.Fuzz(func(t *testing.T, presented string) {
		if at, ok := parseTicket(member.Secret(presented)); ok && string(at.text()) != presented {
			t.Errorf("%q is taken for %q", presented, string(at.text()))
		}
		if at, ok := parseToken(member.Secret(presented)); ok && string(at.token()) != presented {
			t.Errorf("%q is taken for %q", presented, string(at.token()))
		}
	})
}

func FuzzTicket_RoundTrip(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef0123456789abcdef"))
	f.Fuzz(func(t *testing.T, octets []byte) {
		var at ticket
		copy(at.secret[:], octets[copy(at.id[:], octets):])
		for name, got := range map[string]func() (ticket, bool){
			"token": func() (ticket, bool) { return parseToken(at.token()) }, "text": func() (ticket, bool) { return parseTicket(at.text()) },
		} {
			if back, ok := got(); !ok || back != at {
				t.Errorf("%s of %x comes back as %x", name, octets, back.id)
			}
		}
	})
}
