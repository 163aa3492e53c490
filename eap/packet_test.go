package eap_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"memberradius/eap"
)

// unhex reads hexadecimal digits, spaces between them allowed.
func unhex(t testing.TB, digits string) []byte {
	t.Helper()
	octets, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatalf("%q: %v", digits, err)
	}
	return octets
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, octets string
		want         eap.Packet
		back         string // what Append makes of it; "" is octets
	}{
		{"an identity", "02 07 0008 01 626f62", eap.Packet{Code: eap.Response, ID: 7, Type: eap.Identity, Data: []byte("bob")}, ""},
		{"no identity at all", "02 07 0005 01", eap.Packet{Code: eap.Response, ID: 7, Type: eap.Identity, Data: []byte{}}, ""},
		{"a request", "01 ff 0006 19 20", eap.Packet{Code: eap.Request, ID: 255, Type: eap.PEAP, Data: []byte{0x20}}, ""},
		{"success", "03 09 0004", eap.Packet{Code: eap.Success, ID: 9}, ""},
		{"failure", "04 00 0004", eap.Packet{Code: eap.Failure}, ""},
		{"padding (RFC 3748 §4)", "02 07 0006 03 15 000000", eap.Packet{Code: eap.Response, ID: 7, Type: eap.Nak, Data: []byte{21}}, "02 07 0006 03 15"},
		{"a padded success", "03 09 0004 ff", eap.Packet{Code: eap.Success, ID: 9}, "03 09 0004"},
	}
	for _, c := range tests {
		octets := unhex(t, c.octets)
		p, err := eap.Parse(octets)
		if err != nil || p.Code != c.want.Code || p.ID != c.want.ID || p.Type != c.want.Type || !bytes.Equal(p.Data, c.want.Data) {
			t.Errorf("%s: read as %+v, %v, want %+v", c.name, p, err, c.want)
		}
		if cap(p.Data) != len(p.Data) {
			t.Errorf("%s: to append to Data would overwrite the padding", c.name)
		}
		want := c.back
		if want == "" {
			want = c.octets
		}
		if got := p.Append([]byte("x")); !bytes.Equal(got, append([]byte("x"), unhex(t, want)...)) {
			t.Errorf("%s: written as %x, want %s behind what was there", c.name, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, octets string }{
		{"nothing", ""},
		{"half a header", "02 07 00"},
		{"fewer octets than Length", "02 07 0009 01 626f62"},
		{"a Length without the header", "02 07 0003 01"},
		{"Length 0", "02 07 0000 01"},
		{"a Response without a type", "02 07 0004"},
		{"a Request without a type", "01 07 0004 01"},
		{"a Success with data", "03 07 0005 01"},
		{"a Failure with data", "04 07 0005 01"},
		{"code 0", "00 07 0005 01"},
		{"Initiate of RFC 6696", "05 07 0005 01"},
		{"code 255", "ff 07 0005 01"},
		{"more than EAP-Messages hold", "02 07 1001 01" + strings.Repeat("00", 4092)},
	}
	for _, c := range tests {
		if p, err := eap.Parse(unhex(t, c.octets)); !errors.Is(err, eap.ErrMalformed) {
			t.Errorf("%s: read as %+v, %v", c.name, p, err)
		}
	}
	longest := append(unhex(t, "02 07 1000 01"), make([]byte, eap.MaxPacket-5)...)
	if _, err := eap.Parse(longest); err != nil {
		t.Errorf("%d octets: %v", len(longest), err)
	}
	for n := range longest {
		if _, err := eap.Parse(longest[:n]); err == nil {
			t.Fatalf("the first %d octets of a packet are taken for a packet", n)
		}
	}
}

func TestTypeNames(t *testing.T) {
	t.Parallel()
	for kind, want := range map[eap.Type]string{eap.PEAP: "PEAP", eap.TLS: "TLS", eap.Expanded: "expanded", 200: "type 200"} {
		if got := kind.String(); got != want {
			t.Errorf("type %d is called %q, want %q", byte(kind), got, want)
		}
	}
}

func FuzzPacket_NoPanic(f *testing.F) {
	for _, seed := range []string{"", "02070005 01", "0109000619 20", "03090004", "0207fff001", "0207000301"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		p, err := eap.Parse(octets)
		if err != nil {
			return
		}
		back := p.Append(nil)
		if len(back) > len(octets) || !bytes.Equal(back, octets[:len(back)]) {
			t.Errorf("%x is read as %+v, which is %x", octets, p, back)
		}
	})
}

func FuzzPacket_RoundTrip(f *testing.F) {
	f.Add(byte(2), byte(7), byte(1), []byte("bob"))
	f.Add(byte(1), byte(0), byte(25), []byte{0x20})
	f.Add(byte(3), byte(255), byte(0), []byte{})
	f.Fuzz(func(t *testing.T, code, id, kind byte, data []byte) {
		p := eap.Packet{Code: eap.Code(code%4 + 1), ID: id, Type: eap.Type(kind), Data: data}
		if p.Code == eap.Success || p.Code == eap.Failure {
			p.Type, p.Data = 0, nil
		}
		if len(data) > eap.MaxPacket-5 {
			return
		}
		got, err := eap.Parse(p.Append(nil))
		if err != nil || got.Code != p.Code || got.ID != p.ID || got.Type != p.Type || !bytes.Equal(got.Data, p.Data) {
			t.Errorf("%+v came back as %+v, %v", p, got, err)
		}
	})
}
