package radiustest

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"memberradius/member"
)

// values returns a request's attributes of that type.
func values(s *Sent, kind byte) [][]byte { return (&Reply{Raw: s.Bytes}).Values(kind) }

// TestRequest_AccessPoint is what hostapd and controllers send (RFC 3580 §3.20, §3.21).
func TestRequest_AccessPoint(t *testing.T) {
	t.Parallel()
	nas := &NAS{Local: netip.MustParseAddrPort("192.0.2.7:0"), Secret: testSecret}
	mac := []byte{0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0x0f}
	for _, c := range []struct {
		name  string
		point AccessPoint
		want  map[byte]string
	}{
		{"nothing said", AccessPoint{}, map[byte]string{4: "\xc0\x00\x02\x07"}},
		{"identifier", AccessPoint{Identifier: "ap1"}, map[byte]string{32: "ap1"}},
		{"both", AccessPoint{Identifier: "ap1", Address: netip.MustParseAddr("10.0.0.1")}, map[byte]string{32: "ap1", 4: "\x0a\x00\x00\x01"}},
		{"IPv6", AccessPoint{Address: netip.MustParseAddr("::1")}, map[byte]string{95: "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"}},
		{"all of it", AccessPoint{Identifier: "ap1", BSSID: mac, SSID: "Members: all", Station: mac},
			map[byte]string{32: "ap1", 61: "\x00\x00\x00\x13", 30: "AA-BB-CC-DD-EE-0F:Members: all", 31: "AA-BB-CC-DD-EE-0F"}},
		{"SSID alone", AccessPoint{Identifier: "ap1", SSID: "Members"},
			map[byte]string{32: "ap1", 61: "\x00\x00\x00\x13", 30: "02-00-00-00-00-01:Members"}},
	} {
		sent, err := nas.Sign(&Request{Method: NoProof, MessageAuthenticator: Absent, AccessPoint: c.point}, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []byte{4, 30, 31, 32, 61, 95} {
			got, want := string(bytes.Join(values(sent, kind), []byte("|"))), c.want[kind]
			if got != want {
				t.Errorf("%s: attribute %d is %q, want %q", c.name, kind, got, want)
			}
		}
	}
}

func TestRequest_Order(t *testing.T) {
	t.Parallel()
	nas := &NAS{Local: netip.MustParseAddrPort("192.0.2.7:0"), Secret: testSecret}
	for _, c := range []struct {
		name    string
		request Request
		want    []byte // types in their order
	}{
		{"signed first", Request{Method: PAP, Login: "anna"}, []byte{80, 1, 4, 2}},
		{"signed last", Request{Method: PAP, Login: "anna", MessageAuthenticator: Last}, []byte{1, 4, 2, 80}},
		{"not signed", Request{Method: PAP, Login: "anna", MessageAuthenticator: Absent}, []byte{1, 4, 2}},
		{"signed wrong", Request{Method: PAP, Login: "anna", MessageAuthenticator: Wrong}, []byte{80, 1, 4, 2}},
		{"CHAP", Request{Method: CHAP, Login: "anna"}, []byte{80, 1, 4, 3, 60}},
		{"MS-CHAP", Request{Method: MSCHAP, Login: "anna"}, []byte{80, 1, 4, 26, 26}},
		{"Status-Server", Request{Method: Status}, []byte{80, 4}},
		{"more", Request{Method: NoProof,
			Attributes: []member.Attribute{{Name: "Service-Type", Value: "Framed-User"}, {Name: "WISPr-Location-Name", Value: "here"}},
			Octets:     []byte{250, 3, 1}, ProxyStates: [][]byte{{1}, {2}}, MessageAuthenticator: Last,
			Edit: func(p *Packet) { p.Add(24, []byte("x")) }},
			[]byte{4, 6, 26, 250, 33, 33, 80, 24}},
	} {
		sent, err := nas.Sign(&c.request, 1)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []byte
		if err := walk(sent.Bytes[headerSize:], func(kind byte, _ []byte) { got = append(got, kind) }); err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s: attributes %d, %v; want %d", c.name, got, err, c.want)
		}
	}
}

// TestRequest_Response2 checks the form of MS-CHAP2-Response (RFC 2548 §2.3.2).
func TestRequest_Response2(t *testing.T) {
	t.Parallel()
	nas := &NAS{Secret: testSecret}
	sent, err := nas.Sign(&Request{Method: MSCHAPv2, Login: "anna", Password: "x"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := &Reply{Raw: sent.Bytes}
	challenge, response := r.VendorValues(311, 11), r.VendorValues(311, 25)
	if len(challenge) != 1 || len(challenge[0]) != 16 || len(response) != 1 || len(response[0]) != 50 {
		t.Fatalf("challenge %d, response %d octets", len(challenge[0]), len(response[0]))
	}
	if response[0][1] != 0 || !bytes.Equal(response[0][18:26], make([]byte, 8)) {
		t.Errorf("flags or reserved octets are not zero: %x", response[0])
	}
}

// fixed is a source of randomness that repeats an octet.
type fixed byte

func (f fixed) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(f)
	}
	return len(b), nil
}

// TestTiming follows RFC 5080 §2.2.1 with RAND at both its ends.
func TestTiming(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		random fixed
		want   []time.Duration
	}{
		{0x00, []time.Duration{1800, 3420, 6498, 12346, 14400, 14400}}, // RAND -0.1
		{0xff, []time.Duration{2200, 4620, 9702, 17600, 17600}},        // RAND +0.1
	} {
		var wait time.Duration
		for i, want := range c.want {
			wait = Timing{}.orDefault().next(wait, c.random)
			if got := wait.Round(time.Millisecond); got != want*time.Millisecond {
				t.Errorf("RAND %x: wait %d is %s, want %s", byte(c.random), i+1, got, want*time.Millisecond)
			}
		}
	}
	if wait := (Timing{Initial: time.Second}).next(time.Hour, fixed(0xff)); wait != 2*time.Hour+6*time.Minute {
		t.Errorf("without Longest: %s", wait)
	}
}
