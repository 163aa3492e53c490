package coa

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"memberradius/member"

	"layeh.com/radius"
)

const testSecret = member.Secret("a secret of the lobby's access point")

// session is one that a NAS has told everything about.
func session() *member.Session {
	return &member.Session{
		Client: "lobby", NAS: "ap1", ID: "5F3A9C00AB12CD34", User: "anna@club.example", MultiID: "00112233AABBCCDD",
		StationMAC: "aa:bb:cc:dd:ee:ff", Calling: "AA-BB-CC-DD-EE-FF", Address: netip.MustParseAddr("10.1.2.3"),
		NASAddress: netip.MustParseAddr("192.0.2.10"), NASIdentifier: "ap1", Audit: "0A00020A0000001C5F3A9C00",
	}
}

// answerTo is what a NAS that has the secret answers, by layeh's code. cause 0 is none;
// signed adds Message-Authenticator, as hostapd does.
func answerTo(t testing.TB, packet []byte, code radius.Code, secret member.Secret, cause ErrorCause, signed bool) []byte {
	t.Helper()
	request, err := radius.Parse(packet, []byte(secret))
	if err != nil {
		t.Fatalf("the request can't be read: %v", err)
	}
	r := request.Response(code)
	if cause != 0 {
		r.Add(typeErrorCause, binary.BigEndian.AppendUint32(nil, uint32(cause)))
	}
	r.Add(typeEventTimestamp, binary.BigEndian.AppendUint32(nil, uint32(time.Now().Unix())))
	if signed {
		r.Add(typeMessageAuthenticator, make([]byte, authenticatorSize))
		// Its Authenticator is the request's still.
		plain, err := r.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		mac := hmac.New(md5.New, []byte(secret))
		mac.Write(plain)
		r.Set(typeMessageAuthenticator, mac.Sum(nil))
	}
	b, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lawful says what hostapd or layeh would find wrong with a request; "" is nothing.
func lawful(packet []byte, secret member.Secret, now time.Time) string {
	p, err := radius.Parse(packet, []byte(secret))
	switch {
	case err != nil:
		return err.Error()
	case !radius.IsAuthenticRequest(packet, []byte(secret)):
		return "the Request Authenticator is wrong"
	case packet[headerSize] != typeMessageAuthenticator || len(p.Attributes) < 3:
		return "Message-Authenticator is not first"
	}
	claimed := [authenticatorSize]byte(p.Get(typeMessageAuthenticator))
	zeroed := append([]byte(nil), packet...)
	clear(zeroed[4:headerSize])
	clear(zeroed[headerSize+2 : headerSize+2+authenticatorSize])
	mac := hmac.New(md5.New, []byte(secret))
	mac.Write(zeroed)
	if !hmac.Equal(mac.Sum(nil), claimed[:]) {
		return "Message-Authenticator is wrong"
	}
	at, err := radius.Date(p.Get(typeEventTimestamp))
	if err != nil || now.Sub(at).Abs() > 300*time.Second {
		return "Event-Timestamp is not there or out of its window"
	}
	if p.Get(6) != nil {
		return "Service-Type is there"
	}
	return ""
}
