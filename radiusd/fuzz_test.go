package radiusd

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"testing"

	"memberradius/radiusd/radiustest"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// seeds are good requests of every method, and some that are not good.
func seeds(f *testing.F) {
	nas := &radiustest.NAS{Secret: rigSecret}
	for _, m := range []radiustest.Method{radiustest.PAP, radiustest.CHAP, radiustest.MSCHAP, radiustest.MSCHAPv2, radiustest.Status, radiustest.NoProof} {
		sent, err := nas.Sign(&radiustest.Request{
			Method: m, Login: "bob", Password: "hello", ProxyStates: [][]byte{{1}, {2}},
			AccessPoint: radiustest.AccessPoint{SSID: "Members", Station: []byte{2, 0, 0, 0, 0, 7}},
		}, 1)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sent.Bytes)
	}
	for _, form := range []radiustest.MACForm{{}, {CHAP: true}, {Formality: radiustest.NoPassword}} {
		sent, err := nas.Sign(&radiustest.Request{Method: radiustest.MAC, Form: form, AccessPoint: radiustest.AccessPoint{Station: []byte{2, 0, 0, 0, 0, 7}}}, 1)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sent.Bytes)
	}
	f.Add([]byte{1, 1, 0, 22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0})
	f.Add(bytes.Repeat([]byte{1, 2}, 2048))
}

// FuzzRequest_NoPanic sends any octets the whole way of a packet, signed, so
// that nothing is spared them.
func FuzzRequest_NoPanic(f *testing.F) {
	seeds(f)
	r, _ := hotPath(f, radiustest.PAP)
	r.x.server.rejectDelay = 0
	var m memory
	f.Fuzz(func(t *testing.T, datagram []byte) {
		b := bytes.Clone(datagram)
		if q := (request{}); q.peek(b) && q.walk() && q.auths == 1 {
			at := b[q.authAt : q.authAt+authenticatorSize]
			clear(at)
			mac := hmac.New(md5.New, []byte(rigSecret))
			mac.Write(q.raw)
			copy(at, mac.Sum(nil))
		}
		reply := m.handle(r, b)[0]
		if len(reply) > 0 && (len(reply) > maxPacket || reply[headerSize] != typeMessageAuthenticator) {
			t.Errorf("a bad reply: % x", reply)
		}
		if n := testutil.ToFloat64(r.x.server.meters.panics); n != 0 {
			t.Fatalf("%v panics", n)
		}
	})
}

// FuzzRequest_RoundTrip: whatever walk takes, each gives back, octet for octet.
func FuzzRequest_RoundTrip(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, datagram []byte) {
		var r request
		if !r.peek(datagram) || !r.walk() {
			return
		}
		again := bytes.Clone(r.raw[:headerSize])
		r.each(func(kind byte, value []byte) {
			again = append(again, kind, byte(2+len(value)))
			again = append(again, value...)
		})
		if !bytes.Equal(again, r.raw) {
			t.Errorf("% x becomes % x", r.raw, again)
		}
	})
}

// FuzzMAC_NoPanic reads any octets as a MAC address; what is one reads back as itself.
func FuzzMAC_NoPanic(f *testing.F) {
	for _, s := range []string{"AA-BB-CC-DD-EE-FF:Members", "aabb.ccdd.eeff", "aabbccddeeff", "aa:bb:cc:dd:ee:ff", "aabbcc-ddeeff", "a:a:b:b:c:c:d:d:e:e:f:f", "a-", "-a", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		var mac, again [macSize]byte
		if n := readMAC(&mac, value); n > 0 {
			if n > len(value) || readMAC(&again, mac[:]) != macSize || again != mac {
				t.Errorf("%q reads as %q", value, mac)
			}
		}
		r := request{calledStation: value}
		if s := r.ssid(); len(s) > len(value) {
			t.Errorf("%q has the SSID %q", value, s)
		}
	})
}

func TestReadMAC(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"AA-BB-CC-DD-EE-FF:Members": "Members", "aa:bb:cc:dd:ee:ff:Members": "Members",
		"aabb.ccdd.eeff:A:B": "A:B", "aabbccddeeff:": "", "aabbccddeeff": "", "hotspot1": "",
		"AA-BB-CC-DD-EE-FG:Members": "", "": "",
	} {
		r := request{calledStation: []byte(value)}
		if got := string(r.ssid()); got != want {
			t.Errorf("%q: SSID %q, want %q", value, got, want)
		}
	}
	r := request{calledStation: []byte("AA-BB-CC-DD-EE-FF:Members"), vendorSSID: []byte("Guests")}
	if got := string(r.ssid()); got != "Guests" {
		t.Errorf("the vendor's own attribute gives %q", got)
	}
}

// A datagram that is shorter than its Length is discarded, though the room
// behind it holds octets of an older one.
func TestPeekKeepsWithinTheDatagram(t *testing.T) {
	t.Parallel()
	room := make([]byte, maxPacket)
	room[0], room[3] = codeAccessRequest, headerSize+10
	var r request
	if r.peek(room[:headerSize+9]) {
		t.Errorf("%d octets are taken for %d", headerSize+9, len(r.raw))
	}
	if !r.peek(room[:headerSize+11]) || len(r.raw) != headerSize+10 || cap(r.raw) != headerSize+10 {
		t.Errorf("%d octets of %d", len(r.raw), cap(r.raw))
	}
}
