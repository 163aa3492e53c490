package radiustest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"memberradius/dictionary"
)

// signed returns a request of no method and the reply that carries attributes.
func signedReply(tb testing.TB, attributes ...byte) (*Sent, []byte) {
	tb.Helper()
	sent, err := (&NAS{Secret: testSecret}).Sign(&Request{Method: NoProof}, 5)
	if err != nil {
		tb.Fatal(err)
	}
	p := &Packet{Code: AccessAccept, Identifier: 5}
	b, err := p.AddMessageAuthenticator().AddOctets(attributes...).EncodeReply(testSecret, sent.authenticator)
	if err != nil {
		tb.Fatal(err)
	}
	return sent, b
}

func TestReply_VLAN(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		attributes string
		want       string
	}{
		{"\x40\x06\x00\x00\x00\x0d\x41\x06\x00\x00\x00\x06\x51\x0440", "40"},
		{"\x40\x06\x01\x00\x00\x0d\x41\x06\x01\x00\x00\x06\x51\x05\x0140", "40"}, // tagged
		{"\x40\x06\x00\x00\x00\x0d\x41\x06\x00\x00\x00\x06\x51\x07staff", "staff"},
		{"\x40\x06\x00\x00\x00\x03\x41\x06\x00\x00\x00\x06\x51\x0440", ""}, // L2TP
		{"\x40\x06\x00\x00\x00\x0d\x51\x0440", ""},                         // no medium
		{"\x40\x06\x00\x00\x00\x0d\x41\x06\x00\x00\x00\x06", ""},
		{"\x40\x05\x00\x00\x0d", ""},
	} {
		sent, b := signedReply(t, []byte(c.attributes)...)
		reply, err := sent.Read(b)
		if err != nil || reply.VLAN() != c.want {
			t.Errorf("%q: VLAN %q, %v; want %q", c.attributes, reply.VLAN(), err, c.want)
		}
	}
}

func TestReply_Named(t *testing.T) {
	t.Parallel()
	names := dictionary.Builtin()
	p := &Packet{}
	for _, a := range [][2]string{{"Session-Timeout", "3600"}, {"Reply-Message", "Hello"}, {"Reply-Message", "there"}, {"WISPr-Bandwidth-Max-Up", "1000"}} {
		p.AddNamed(names, a[0], a[1])
	}
	p.Add(200, []byte{1, 2})
	p.AddVendor(vendorMicrosoft, typeMSCHAPMPPEKeys, make([]byte, 32))
	sent, b := signedReply(t, p.attributes...)
	reply, err := sent.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if reply.SessionTimeout() != time.Hour || reply.Message != "Hello\nthere" || !reply.OK() {
		t.Errorf("Session-Timeout %s, message %q, faults %q", reply.SessionTimeout(), reply.Message, reply.Faults)
	}
	for name, want := range map[string]string{
		"session-timeout": "3600", "Reply-Message": "Hello|there", "WISPr-Bandwidth-Max-Up": "1000",
		"MS-CHAP-MPPE-Keys": redacted, "Filter-Id": "",
	} {
		if got := strings.Join(reply.Get(name), "|"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestSent_Prefixes: no truncated reply is taken, and neither is one with any bit changed.
func TestSent_Prefixes(t *testing.T) {
	t.Parallel()
	sent, b := signedReply(t, 18, 7, 'h', 'e', 'l', 'l', 'o')
	if _, err := sent.Read(b); err != nil {
		t.Fatal(err)
	}
	for n := range b {
		if _, err := sent.Read(b[:n]); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d of %d octets: %v", n, len(b), err)
		}
	}
	for bit := range 8 * len(b) {
		b[bit/8] ^= 1 << (bit % 8)
		if _, err := sent.Read(b); err == nil {
			t.Errorf("bit %d changed: taken", bit)
		}
		b[bit/8] ^= 1 << (bit % 8)
	}
	other := append([]byte(nil), b...)
	other[1]++
	if _, err := sent.Read(other); !errors.Is(err, ErrIdentifier) {
		t.Errorf("another identifier: %v", err)
	}
	if _, err := sent.Read(append(b, "padding"...)); err != nil {
		t.Errorf("with padding after its Length: %v", err)
	}
}

func TestParseError(t *testing.T) {
	t.Parallel()
	const digits = "00112233445566778899AABBCCDDEEFF"
	for _, c := range []struct {
		text string
		want MSCHAPError
		bad  bool
	}{
		{text: "E=691 R=1 C=" + digits + " V=3 M=Login or password is wrong.",
			want: MSCHAPError{691, true, digits, 3, "Login or password is wrong."}},
		{text: "E=648 R=0 C=" + digits + " V=3 M=", want: MSCHAPError{648, false, digits, 3, ""}},
		{text: "E=691 R=0 C=" + digits + " V=3", want: MSCHAPError{691, false, digits, 3, ""}},
		{text: "E=691 R=1", want: MSCHAPError{Code: 691, Retry: true}},
		{text: "E=691 M=a=b c=d", want: MSCHAPError{Code: 691, Message: "a=b c=d"}},
		{text: "", want: MSCHAPError{}},
		{text: "E=x", bad: true},
		{text: "E=691 V=three", bad: true},
		{text: "691", bad: true},
	} {
		got, err := parseError(c.text)
		if (err != nil) != c.bad || err == nil && *got != c.want {
			t.Errorf("%q: %+v, %v", c.text, got, err)
		}
	}
}

// TestKey_Redacted: no format shows a session key.
func TestKey_Redacted(t *testing.T) {
	t.Parallel()
	r := Reply{SendKey: Key("0123456789abcdef"), RecvKey: Key("0123456789abcdef")}
	encoded, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %x", r.SendKey, r, r, r.SendKey, r.RecvKey), string(encoded)} {
		if strings.Contains(text, "012345") || strings.Contains(text, "303132") || strings.Contains(text, "MDEy") {
			t.Errorf("a key is shown: %s", text)
		}
	}
}
