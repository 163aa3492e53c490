package radiustest

import (
	"bytes"
	"encoding/binary"
	"testing"

	"memberradius/member"
)

// FuzzReply_NoPanic signs whatever it gets, so that all of the decoder is reached.
func FuzzReply_NoPanic(f *testing.F) {
	f.Add(byte(AccessAccept), []byte("\x12\x07hello\x40\x06\x00\x00\x00\x0d\x41\x06\x00\x00\x00\x06\x51\x0440"), true)
	f.Add(byte(AccessReject), []byte("\x1a\x12\x00\x00\x01\x37\x02\x0c\x00E=691 R=0"), true)
	f.Add(byte(AccessAccept), []byte("\x1a\x1a\x00\x00\x01\x37\x10\x14\x80\x010123456789abcdef"), true)
	f.Add(byte(AccessAccept), []byte("\x1a\x06\x00\x00\x01\x37"), false)
	f.Add(byte(AccessChallenge), []byte{26, 0, 80, 2}, false)
	f.Add(byte(AccessChallenge), []byte("\x4f\x07\x01\x02\x00\x05\x19\x18\x03x"), true)
	f.Add(byte(AccessAccept), []byte("\x4f\x06\x03\x02\x00\x04\x66\x03\x19\x12\x03x"), true)
	nas := &NAS{Secret: testSecret, TakeUnsigned: true}
	var requests []*Sent
	for _, method := range []Method{PAP, MSCHAP, MSCHAPv2} {
		sent, err := nas.Sign(&Request{Method: method, Login: "anna", Password: "x"}, 5)
		if err != nil {
			f.Fatal(err)
		}
		requests = append(requests, sent)
	}
	sent, err := nas.Sign(&Request{Method: eapRound, Login: "anna", round: &round{message: []byte{2, 1, 0, 5, 1}, msk: make([]byte, 64), name: []byte{25}}}, 5)
	if err != nil {
		f.Fatal(err)
	}
	requests = append(requests, sent)
	f.Fuzz(func(t *testing.T, code byte, attributes []byte, signed bool) {
		for _, sent := range requests {
			p := &Packet{Code: Code(code), Identifier: 5}
			if signed {
				p.AddMessageAuthenticator()
			}
			b, err := p.AddOctets(attributes...).EncodeReply(testSecret, sent.authenticator)
			if err != nil {
				return
			}
			reply, err := sent.Read(b)
			if err != nil {
				continue
			}
			if !bytes.Equal(reply.Raw, b) || reply.Code != Code(code) || reply.Success == Right || reply.Keys == Right {
				t.Errorf("%s: success %s, keys %s", reply.Code, reply.Success, reply.Keys)
			}
			_, _, _ = reply.VLAN(), reply.SessionTimeout(), reply.OK()
		}
	})
}

// FuzzDatagram_NoPanic is what anybody can send to the socket.
func FuzzDatagram_NoPanic(f *testing.F) {
	sent, b := signedReply(f, 18, 3, 'x')
	f.Add(b)
	f.Add(b[:19])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		reply, err := sent.Read(bytes.Clone(datagram))
		if (reply == nil) == (err == nil) {
			t.Errorf("%v, %v", reply, err)
		}
	})
}

func FuzzPacket_RoundTrip(f *testing.F) {
	f.Add("anna", "correct horse", byte(31), []byte("AA-BB"), uint32(311), byte(25))
	f.Add("", "", byte(0), []byte{}, uint32(0), byte(0))
	f.Fuzz(func(t *testing.T, login, password string, kind byte, value []byte, vendor uint32, number byte) {
		p := &Packet{Code: AccessRequest, Authenticator: [16]byte{1}}
		p.AddMessageAuthenticator().Add(typeUserName, []byte(login)).AddPassword(member.Secret(password))
		p.Add(kind, value).AddVendor(vendor, number, value)
		b, err := p.Encode(testSecret)
		tooLong := len(login) > maxValue || len(password) > maxPassword || len(value) > maxValue-6
		if (err != nil) != tooLong {
			t.Fatalf("%v", err)
		}
		if err != nil {
			return
		}
		r := &Reply{Raw: b}
		if got := r.Values(typeUserName); len(got) == 0 || string(got[0]) != login {
			t.Errorf("User-Name %q", got)
		}
		if got := r.Values(kind); !bytes.Equal(got[len(got)-1], value) && kind != typeVendorSpecific {
			t.Errorf("attribute %d: %x", kind, got)
		}
		if got := r.VendorValues(vendor, number); len(got) == 0 || !bytes.Equal(got[len(got)-1], value) {
			t.Errorf("vendor %d, attribute %d: %x", vendor, number, got)
		}
		hidden := r.Values(typeUserPassword)[0]
		clear := newSigner(testSecret).reveal(hidden, b[4:headerSize])
		if string(clear[:len(password)]) != password || len(bytes.Trim(clear[len(password):], "\x00")) != 0 {
			t.Error("the password comes out as another one")
		}
		if !bytes.Equal(b[22:38], hmacOf(testSecret, b, 22)) || int(binary.BigEndian.Uint16(b[2:])) != len(b) {
			t.Error("Message-Authenticator or Length is wrong")
		}
	})
}

func FuzzKey_RoundTrip(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), uint16(0x8001), "secret")
	f.Add([]byte{}, uint16(0), "")
	f.Fuzz(func(t *testing.T, key []byte, salt uint16, secret string) {
		if len(key) > 239 {
			return
		}
		s := newSigner(member.Secret(secret))
		authenticator := [authenticatorSize]byte{5, 4, 3}
		value := s.encryptKey(key, authenticator[:], [2]byte{byte(salt >> 8), byte(salt)})
		got, gotSalt, err := s.decryptKey(value, &authenticator)
		if err != nil || !bytes.Equal(got, key) || binary.BigEndian.Uint16(gotSalt[:]) != salt {
			t.Errorf("%x, salt %x, %v", got, gotSalt, err)
		}
	})
}

func FuzzKey_NoPanic(f *testing.F) {
	f.Add([]byte("\x80\x010123456789abcdef"))
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, value []byte) {
		key, _, err := newSigner(testSecret).decryptKey(value, &[authenticatorSize]byte{1})
		if err == nil && len(key) > len(value)-3 {
			t.Errorf("a key of %d octets from a value of %d", len(key), len(value))
		}
	})
}

func FuzzMSCHAPError_NoPanic(f *testing.F) {
	f.Add("E=691 R=1 C=00112233445566778899AABBCCDDEEFF V=3 M=Wrong.")
	f.Add("E=")
	f.Add("=")
	f.Fuzz(func(t *testing.T, text string) {
		if e, err := parseError(text); (e == nil) == (err == nil) {
			t.Errorf("%v, %v", e, err)
		}
	})
}

func FuzzMSCHAPError_RoundTrip(f *testing.F) {
	f.Add(691, true, 3, "Login or password is wrong.")
	f.Add(-1, false, 0, "M=")
	f.Fuzz(func(t *testing.T, code int, retry bool, version int, message string) {
		want := MSCHAPError{Code: code, Retry: retry, Version: version, Message: message}
		got, err := parseError(want.String())
		if err != nil || *got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	})
}

func FuzzRadclient_NoPanic(f *testing.F) {
	f.Add("Received Access-Accept Id 7 from 127.0.0.1:1812 to 127.0.0.1:1 length 20\n\tReply-Message = \"a\"\n")
	f.Add("Received \n\t\n\t = \n")
	f.Fuzz(func(t *testing.T, output string) {
		if a := parseRadclient(output); a.Output != output {
			t.Error("the output is not kept")
		}
	})
}
