package radiustest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"memberradius/dictionary"
)

// dynamicPacket is a request as a server signs it, with these attributes by name
// and value; it was made at this time.
func dynamicPacket(code Code, at time.Time, attributes ...string) *Packet {
	p := &Packet{Code: code, Identifier: 7}
	p.AddMessageAuthenticator().Add(55, binary.BigEndian.AppendUint32(nil, uint32(at.Unix())))
	for i := 0; i < len(attributes); i += 2 {
		p.AddNamed(dictionary.Builtin(), attributes[i], attributes[i+1])
	}
	return p
}

func encoded(tb testing.TB, p *Packet) []byte {
	tb.Helper()
	b, err := p.Encode(testSecret)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestReadDynamic is what a NAS drops without a word (RFC 5176 §2.3, §6.3).
func TestReadDynamic(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	good := func() []byte {
		return encoded(t, dynamicPacket(DisconnectRequest, now, "User-Name", "anna", "Acct-Session-Id", "5F"))
	}
	late := &Packet{Code: DisconnectRequest}
	late.Add(typeUserName, []byte("anna")).AddMessageAuthenticator()
	broken := &Packet{Code: DisconnectRequest}
	broken.AddBrokenMessageAuthenticator()
	never := &Packet{Code: DisconnectRequest}
	never.AddMessageAuthenticator()
	for _, tt := range []struct {
		name     string
		datagram []byte
		want     error
	}{
		{"good", good(), nil},
		{"padding", append(good(), 0, 0), nil},
		{"300 s old", encoded(t, dynamicPacket(CoARequest, now.Add(-300*time.Second))), nil},
		{"301 s old", encoded(t, dynamicPacket(CoARequest, now.Add(-301*time.Second))), ErrStale},
		{"301 s ahead", encoded(t, dynamicPacket(CoARequest, now.Add(301*time.Second))), ErrStale},
		{"never", encoded(t, never), ErrStale},
		{"one bit of the authenticator", flip(good(), 4), ErrRequestAuthenticator},
		{"one bit of an attribute", flip(good(), -1), ErrRequestAuthenticator},
		{"a broken signature", encoded(t, broken), ErrMessageAuthenticator},
		{"a signature in the second place", encoded(t, late), ErrNotFirst},
		{"no signature", encoded(t, &Packet{Code: DisconnectRequest}), ErrNotFirst},
		{"another code", encoded(t, &Packet{Code: AccountingRequest}), ErrMalformed},
		{"cut short", good()[:30], ErrMalformed},
		{"no header", good()[:19], ErrMalformed},
	} {
		r, err := ReadDynamic(tt.datagram, testSecret, now)
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if tt.name == "good" && (r.Code != DisconnectRequest || !slices.Equal(r.Get("user-name"), []string{"anna"}) || !slices.Equal(r.Get("Acct-Session-Id"), []string{"5F"})) {
			t.Errorf("read as %+v", r)
		}
	}
	if _, err := ReadDynamic(good(), "another secret", now); !errors.Is(err, ErrRequestAuthenticator) {
		t.Errorf("by another secret: %v", err)
	}
}

// flip changes one bit of an octet, counted from the end where at is negative.
func flip(b []byte, at int) []byte {
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 1
	return b
}

// TestUAM_Disconnect: who is named is thrown off, and nobody else.
func TestUAM_Disconnect(t *testing.T) {
	t.Parallel()
	const acct, station, user, address, nas = "Acct-Session-Id", "Calling-Station-Id", "User-Name", "Framed-IP-Address", "NAS-Identifier"
	for _, tt := range []struct {
		name  string
		code  Code
		says  []string
		want  Code
		cause uint32
	}{
		{"all of it", DisconnectRequest, []string{nas, "gate-1", user, "uam-1", station, "28:cf:e9:13:47:cb", acct, "SESSION", address, "10.5.50.2"}, DisconnectACK, 0},
		{"the session", DisconnectRequest, []string{acct, "SESSION"}, DisconnectACK, 0},
		{"the device", DisconnectRequest, []string{station, "28-CF-E9-13-47-CB"}, DisconnectACK, 0},
		{"its address", DisconnectRequest, []string{user, "uam-1", address, "10.5.50.2"}, DisconnectACK, 0},
		{"another session of the device", DisconnectRequest, []string{acct, "00", station, "28-CF-E9-13-47-CB"}, DisconnectNAK, causeNoSession},
		{"another user", DisconnectRequest, []string{user, "uam-2", acct, "SESSION"}, DisconnectNAK, causeNoSession},
		{"a user alone", DisconnectRequest, []string{user, "uam-1"}, DisconnectNAK, causeNoSession},
		{"nobody", DisconnectRequest, nil, DisconnectNAK, causeNoSession},
		{"another gateway", DisconnectRequest, []string{nas, "gate-2", acct, "SESSION"}, DisconnectNAK, causeNASMismatch},
		{"a change", CoARequest, []string{acct, "SESSION"}, CoANAK, causeUnsupportedExtension},
	} {
		r := newRig(t, &UAM{Kind: UAMMikroTik, PAP: true})
		r.bring(r.captured(), "ticket")
		wants(t, r.report(), "Acct-Status-Type", "Start")
		says := slices.Clone(tt.says)
		for i := range says {
			if says[i] == "SESSION" {
				says[i] = r.Device(browserAt).Session
			}
		}
		request := encoded(t, dynamicPacket(tt.code, r.Now(), says...))
		reply := r.tell(request)
		signer := newSigner(testSecret)
		if Code(reply[0]) != tt.want || reply[1] != 7 || !signer.verifyReply(reply, (*[16]byte)(request[4:20])) {
			t.Errorf("%s: %s", tt.name, Code(reply[0]))
		}
		if cause := named(reply)["Error-Cause"]; (cause == "") != (tt.cause == 0) {
			t.Errorf("%s: Error-Cause %q", tt.name, cause)
		}
		for _, value := range (&Reply{Raw: reply}).Values(101) {
			if binary.BigEndian.Uint32(value) != tt.cause {
				t.Errorf("%s: Error-Cause % x, want %d", tt.name, value, tt.cause)
			}
		}
		if d := r.Device(browserAt); d.Open != (tt.want != DisconnectACK) {
			t.Errorf("%s: the device is %+v", tt.name, d)
		}
		if tt.want == DisconnectACK {
			wants(t, r.report(), "Acct-Status-Type", "Stop", "Acct-Terminate-Cause", "Admin-Reset")
			if again := r.tell(request); Code(again[0]) != DisconnectNAK {
				t.Errorf("%s: once more: %s", tt.name, Code(again[0]))
			}
		}
	}
}

// tell sends a request to the gateway, after one that it has to drop.
func (r *rig) tell(request []byte) []byte {
	r.t.Helper()
	wire, err := Dial(netip.AddrPort{}, r.Dynamic.LocalAddr().(interface{ AddrPort() netip.AddrPort }).AddrPort())
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = wire.Close() }()
	forged := flip(bytes.Clone(request), 4)
	forged[1] = 8
	for _, b := range [][]byte{forged, request} {
		if err := wire.Send(b); err != nil {
			r.t.Fatal(err)
		}
	}
	reply, err := wire.Receive(10 * time.Second)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply
}

// FuzzDynamic_NoPanic signs whatever it gets, so that all of the decoder is reached.
func FuzzDynamic_NoPanic(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	f.Add(byte(40), []byte("\x01\x06anna\x2c\x045F"), true)
	f.Add(byte(43), []byte("\x1a\x06\x00\x00\x01\x37"), true)
	f.Add(byte(40), []byte{26, 0, 80, 2}, true)
	f.Add(byte(40), []byte{40, 7, 0, 20, 0}, false)
	f.Fuzz(func(t *testing.T, code byte, attributes []byte, signed bool) {
		datagram := attributes
		if signed {
			b, err := dynamicPacket(Code(code), now).AddOctets(attributes...).Encode(testSecret)
			if err != nil {
				return
			}
			datagram = b
		}
		if r, err := ReadDynamic(datagram, testSecret, now); err == nil {
			_ = r.names(&guest{})
			if _, err := r.Reply(DisconnectNAK, causeNoSession, testSecret); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzDynamic_RoundTrip wants what was written to be read.
func FuzzDynamic_RoundTrip(f *testing.F) {
	f.Add("anna", "5F2A", int64(1_800_000_000))
	f.Add("", "0", int64(0))
	f.Fuzz(func(t *testing.T, user, session string, at int64) {
		now := time.Unix(int64(uint32(at)), 0)
		p := dynamicPacket(DisconnectRequest, now).Add(typeUserName, []byte(user)).Add(44, []byte(session))
		b, err := p.Encode(testSecret)
		if err != nil {
			return
		}
		r, err := ReadDynamic(b, testSecret, now)
		if err != nil {
			t.Fatal(err)
		}
		var again []string
		for _, a := range []struct{ name, value string }{{"User-Name", user}, {"Acct-Session-Id", session}} {
			attribute, _ := dictionary.Builtin().ByName(a.name)
			again = append(again, attribute.Text([]byte(a.value)))
			if got := r.Get(a.name); len(got) != 1 || got[0] != again[len(again)-1] {
				t.Errorf("%s is read as %q", a.name, got)
			}
		}
	})
}
