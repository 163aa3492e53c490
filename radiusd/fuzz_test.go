package radiusd

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"memberradius/radiusd/radiustest"
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
	f.Add([]byte{1, 1, 0, 22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0})
	f.Add(bytes.Repeat([]byte{1, 2}, 2048))
}

// FuzzRequest_NoPanic sends any octets the whole way of a packet, signed, so
// that nothing is spared them.
func FuzzRequest_NoPanic(f *testing.F) {
	seeds(f)
	x, _ := hotPath(f, radiustest.PAP)
	x.server.rejectDelay = 0
	from := &socket{local: netip.MustParseAddrPort("127.0.0.1:1812")}
	f.Fuzz(func(t *testing.T, datagram []byte) {
		x.begin(from, time.Now())
		x.arrival.Remote, x.out = localhost, make([]byte, 0, maxPacket)
		b := bytes.Clone(datagram)
		if r := (request{}); r.peek(b) && r.walk() && r.auths == 1 {
			client, _ := x.tables.Clients.Find(&x.arrival)
			at := r.authAt
			copy(b[at:], x.messageAuthenticator(&client.key, r.raw[:at], zeroAuthenticator[:], r.raw[at+authenticatorSize:]))
		}
		x.handle(b)
		if len(x.out) > 0 && (len(x.out) > maxPacket || x.out[headerSize] != typeMessageAuthenticator) {
			t.Errorf("a bad reply: % x", x.out)
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
	for _, s := range []string{"AA-BB-CC-DD-EE-FF:Members", "aabb.ccdd.eeff", "aabbccddeeff", "aa:bb:cc:dd:ee:ff", "a-", "-a", ""} {
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

func FuzzArgon2id_NoPanic(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$M6daiPe6tz+9L3yZOfVOPWabrR3zsy4Kzqj36NAXYug")
	f.Add("$argon2id$v=19$m=99999999999,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := parseArgon2id(s); err == nil && (p.memory > maxArgonMemory || p.time > maxArgonTime) {
			t.Errorf("%q costs %+v", s, p)
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
