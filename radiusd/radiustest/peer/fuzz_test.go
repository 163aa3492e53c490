package peer

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzPeer_NoPanic lets a server say anything, packet after packet, to a peer
// of each method.
func FuzzPeer_NoPanic(f *testing.F) {
	f.Add(byte(0), []byte{1, 8, 0, 6, 25, 0x20}, []byte{1, 9, 0, 7, 25, 0, 22})
	f.Add(byte(1), []byte{1, 8, 0, 6, 21, 0x20}, []byte{1, 9, 0, 10, 21, 0xc0, 0, 0, 1, 0})
	f.Add(byte(2), append([]byte{1, 8, 0, 30, 26, 1, 9, 0, 25, 16}, "sixteen octets !test"...), append([]byte{1, 9, 0, 18, 26, 4, 9, 0, 13}, "E=691 R=0"...))
	f.Add(byte(2), []byte{3, 7, 0, 4}, []byte{1, 7, 0, 5, 3})
	f.Fuzz(func(t *testing.T, method byte, first, second []byte) {
		p, err := New(Config{Method: []Method{PEAP, TTLS, MSCHAPv2}[method%3], Login: "anna", Password: "x"})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		p.Identity(7)
		for _, packet := range [][]byte{first, second} {
			response, err := p.Answer(packet)
			if err != nil {
				break
			}
			if response == nil {
				continue
			}
			if got, err := ParsePacket(response); err != nil || got.Code != Response {
				t.Errorf("response %x: %v", response, err)
			}
		}
		_, _, _ = p.Diagnose(Unanswered), p.Tunnel(), p.Faults()
		if p.MSK() != nil {
			t.Error("there are keys")
		}
	})
}

// FuzzInside_NoPanic lets a server say anything inside a tunnel.
func FuzzInside_NoPanic(f *testing.F) {
	f.Add([]byte{1}, false)
	f.Add([]byte{0x80, 3, 0, 2, 0, 1}, false)
	f.Add([]byte{1, 2, 0, 11, 33, 0x80, 3, 0, 2, 0, 1}, false)
	f.Add(append([]byte{26, 1, 9, 0, 25, 16}, "sixteen octets !test"...), false)
	f.Add(avp{Code: avpEAPMessage, Data: []byte{1, 2, 0, 5, 1}}.append(nil), true)
	f.Add(avp{Code: avpMSCHAP2Success, Vendor: vendorMicrosoft, Data: []byte("\x01S=")}.append(nil), true)
	f.Add(avp{Code: avpMSCHAPError, Vendor: vendorMicrosoft}.append(nil), true)
	f.Fuzz(func(_ *testing.T, said []byte, pairs bool) {
		c := &Config{Method: PEAP, Login: "anna", Password: "x"}
		if pairs {
			c.Method, c.Inner = TTLS, InnerEAPMSCHAPv2
		}
		if err := c.complete(); err != nil {
			panic(err)
		}
		tunnel := newTunnel(c)
		defer tunnel.stop()
		if pairs {
			p := newTTLS(c, &record{}, tunnel)
			p.begun = true
			_, _ = p.answer(said)
			_ = p.missing()
			return
		}
		p := newPEAP(c, &record{}, tunnel)
		_, _ = p.answer(said)
		_ = p.missing()
	})
}

func FuzzPacket_RoundTrip(f *testing.F) {
	f.Add([]byte{1, 8, 0, 5, 1})
	f.Add([]byte{3, 8, 0, 4})
	f.Add([]byte{2, 8, 0, 9, 1, 'a', 'n', 'n', 'a'})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePacket(b)
		if err != nil {
			return
		}
		if got := p.Append(nil); !bytes.Equal(got, b) {
			t.Errorf("%x comes back as %x", b, got)
		}
	})
}

func FuzzFragment_RoundTrip(f *testing.F) {
	f.Add([]byte{0x20})
	f.Add([]byte{0xc0, 0, 0, 1, 0, 22, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err := parseFragment(b)
		if err != nil {
			return
		}
		if got := one.append(nil); !bytes.Equal(got, b) {
			t.Errorf("%x comes back as %x", b, got)
		}
	})
}

// FuzzAVP_RoundTrip: what is read is written again as it was, but for reserved
// flags, padding that is not zero, and a vendor of 0.
func FuzzAVP_RoundTrip(f *testing.F) {
	f.Add(avp{Code: 1, Mandatory: true, Data: []byte("anna")}.append(nil))
	f.Add(avp{Code: 11, Vendor: 311, Data: []byte("odd")}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := parseAVPs(b)
		if err != nil {
			return
		}
		var written []byte
		for _, a := range all {
			written = a.append(written)
		}
		again, err := parseAVPs(written)
		if err != nil || !slices.EqualFunc(all, again, func(a, b avp) bool {
			return a.Code == b.Code && a.Vendor == b.Vendor && a.Mandatory == b.Mandatory && bytes.Equal(a.Data, b.Data)
		}) {
			t.Errorf("%x: %+v comes back as %+v, %v", b, all, again, err)
		}
	})
}

func FuzzTLV_RoundTrip(f *testing.F) {
	f.Add([]byte{0x80, 3, 0, 2, 0, 1})
	f.Add([]byte{0, 12, 0, 1, 7, 0x80, 3, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := parseTLVs(b)
		if err != nil {
			return
		}
		var written []byte
		for _, one := range all {
			written = one.append(written)
		}
		again, err := parseTLVs(written)
		if err != nil || !slices.EqualFunc(all, again, func(a, b tlv) bool {
			return a.Kind == b.Kind && a.Mandatory == b.Mandatory && bytes.Equal(a.Value, b.Value)
		}) {
			t.Errorf("%x: %+v comes back as %+v, %v", b, all, again, err)
		}
	})
}
