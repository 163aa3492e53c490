package radiustest

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"strings"
	"testing"

	"memberradius/dictionary"
	"memberradius/member"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestPacket_RFC2865 is the first example of RFC 2865 §7.1, request and reply.
func TestPacket_RFC2865(t *testing.T) {
	t.Parallel()
	const secret = member.Secret("xyzzy5461")
	wantRequest := unhex(t, "01000038 0f403f9473978057bd83d5cb98f4227a 01066e656d6f"+
		"0212 0dbe708d93d413ce3196e43f782a0aee 0406c0a80110 050600000003")
	wantReply := unhex(t, "02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103")
	p := &Packet{Code: AccessRequest, Authenticator: [16]byte(wantRequest[4:])}
	p.Add(typeUserName, []byte("nemo")).AddPassword("arctangent")
	p.Add(typeNASIPAddress, []byte{192, 168, 1, 16}).AddOctets(5, 6, 0, 0, 0, 3)
	request, err := p.Encode(secret)
	if err != nil || !bytes.Equal(request, wantRequest) {
		t.Errorf("request %x, %v\n   want %x", request, err, wantRequest)
	}
	names := dictionary.Builtin()
	a := &Packet{Code: AccessAccept}
	a.AddNamed(names, "Service-Type", "Login-User").AddNamed(names, "Login-Service", "Telnet").AddNamed(names, "Login-IP-Host", "192.168.1.3")
	reply, err := a.EncodeReply(secret, p.Authenticator)
	if err != nil || !bytes.Equal(reply, wantReply) {
		t.Errorf("reply %x, %v\n want %x", reply, err, wantReply)
	}
	if !newSigner(secret).verifyReply(reply, &p.Authenticator) {
		t.Error("the example's reply does not verify")
	}
}

// TestPacket_Layeh reads requests with a codec that is not ours.
func TestPacket_Layeh(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("s", 64)
	for _, password := range []string{"", "x", "exactly 16 octet", "seventeen octets!", strings.Repeat("p", 128)} {
		p := &Packet{Code: AccessRequest, Identifier: 200, Authenticator: [16]byte{1, 2, 3}}
		p.AddMessageAuthenticator().Add(typeUserName, []byte("anna")).AddPassword(member.Secret(password))
		b, err := p.Encode(member.Secret(secret))
		if err != nil {
			t.Fatal(err)
		}
		got, err := radius.Parse(b, []byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		if rfc2865.UserName_GetString(got) != "anna" || rfc2865.UserPassword_GetString(got) != password || got.Identifier != 200 {
			t.Errorf("layeh reads %q, %d octets of password, identifier %d", rfc2865.UserName_GetString(got), len(rfc2865.UserPassword_GetString(got)), got.Identifier)
		}
	}
	p := &Packet{Code: AccountingRequest, Identifier: 1}
	p.AddMessageAuthenticator().Add(typeUserName, []byte("anna"))
	b, err := p.Encode(member.Secret(secret))
	if err != nil || !radius.IsAuthenticRequest(b, []byte(secret)) {
		t.Errorf("layeh does not take the Accounting-Request: %v", err)
	}
	reply, err := (&Packet{Code: AccountingResponse, Identifier: 1}).EncodeReply(member.Secret(secret), [16]byte(b[4:]))
	if err != nil || !radius.IsAuthenticResponse(reply, b, []byte(secret)) {
		t.Errorf("layeh does not take the Accounting-Response: %v", err)
	}
}

// hmacOf computes a Message-Authenticator the long way.
func hmacOf(secret member.Secret, packet []byte, at ...int) []byte {
	packet = bytes.Clone(packet)
	for _, i := range at {
		clear(packet[i : i+16])
	}
	h := hmac.New(md5.New, []byte(secret))
	h.Write(packet)
	return h.Sum(nil)
}

// TestPacket_Malformed builds what a server must drop, and compares octets.
func TestPacket_Malformed(t *testing.T) {
	t.Parallel()
	build := func(p *Packet) []byte {
		p.Code, p.Identifier = AccessRequest, 9
		b, err := p.Encode(testSecret)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		name   string
		packet *Packet
		size   int // of the datagram
		length string
		macs   []int // offsets of right values
		wrong  []int // and of wrong ones
	}{
		{"nothing", &Packet{}, 20, "0014", nil, nil},
		{"padding is in no signature", (&Packet{Padding: make([]byte, 100)}).AddMessageAuthenticator(), 138, "0026", []int{22}, nil},
		{"Length too small", (&Packet{Length: 19}).AddMessageAuthenticator(), 38, "0013", []int{22}, nil},
		{"Length too large", (&Packet{Length: 4097}).AddMessageAuthenticator(), 38, "1001", []int{22}, nil},
		{"Message-Authenticator last", (&Packet{}).Add(1, []byte("anna")).AddMessageAuthenticator(), 44, "002c", []int{28}, nil},
		{"two of them", (&Packet{}).AddMessageAuthenticator().AddMessageAuthenticator(), 56, "0038", []int{22, 40}, nil},
		{"a wrong one", (&Packet{}).AddBrokenMessageAuthenticator(), 38, "0026", nil, []int{22}},
		{"a short one", (&Packet{}).Add(80, make([]byte, 15)), 37, "0025", nil, nil},
		{"attribute of length 0", (&Packet{}).AddMessageAuthenticator().AddOctets(26, 0), 40, "0028", []int{22}, nil},
		{"attribute that overruns", (&Packet{}).AddOctets(1, 9, 'a'), 23, "0017", nil, nil},
	} {
		b := build(c.packet)
		if len(b) != c.size || hex.EncodeToString(b[2:4]) != c.length || b[0] != 1 || b[1] != 9 {
			t.Errorf("%s: %x", c.name, b)
			continue
		}
		signed := b[:len(b)-len(c.packet.Padding)]
		all := append(append([]int(nil), c.macs...), c.wrong...)
		for _, at := range all {
			right := bytes.Equal(b[at:at+16], hmacOf(testSecret, signed, all...))
			if want := len(c.macs) > 0; right != want {
				t.Errorf("%s: Message-Authenticator at %d is right: %t", c.name, at, right)
			}
		}
	}
}

func TestPacket_Errors(t *testing.T) {
	t.Parallel()
	names := dictionary.Builtin()
	for _, c := range []struct {
		packet *Packet
		want   string
	}{
		{(&Packet{}).Add(1, make([]byte, 254)), "at most 253 fit"},
		{(&Packet{}).AddVendor(311, 1, make([]byte, 248)), "at most 253 fit"},
		{(&Packet{}).AddPassword(member.Secret(strings.Repeat("x", 129))), "at most 128 fit"},
		{(&Packet{}).AddNamed(names, "No-Such-Attribute", "1"), `"No-Such-Attribute"`},
		{(&Packet{}).AddNamed(names, "Session-Timeout", "soon"), "Session-Timeout"},
		{&Packet{Length: 1 << 16}, "does not fit its header"},
	} {
		if _, err := c.packet.Encode(testSecret); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

// TestDecryptKey_Layeh decrypts what layeh encrypts; Tunnel-Password and the
// MPPE keys share their scheme (RFC 2868 §3.5, RFC 2548 §2.4.2).
func TestDecryptKey_Layeh(t *testing.T) {
	t.Parallel()
	authenticator := [16]byte{7, 8, 9}
	s := newSigner(testSecret)
	for _, n := range []int{0, 1, 15, 16, 32, 64} {
		key := bytes.Repeat([]byte{0xa5}, n)
		value, err := radius.NewTunnelPassword(key, []byte{0x81, 2}, []byte(testSecret), authenticator[:])
		if err != nil {
			t.Fatal(err)
		}
		got, salt, err := s.decryptKey(value, &authenticator)
		if err != nil || !bytes.Equal(got, key) || salt != [2]byte{0x81, 2} {
			t.Errorf("key of %d octets: %x, salt %x, %v", n, got, salt, err)
		}
		if _, _, err := s.decryptKey(value[:len(value)-1], &authenticator); err == nil {
			t.Errorf("key of %d octets: taken without its last octet", n)
		}
	}
}
