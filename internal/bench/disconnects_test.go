//go:build linux

package main

import (
	"testing"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

func TestDisconnects(t *testing.T) {
	t.Parallel()
	took, err := testRun(t).measureDisconnects(t.Context())
	if err != nil || len(took) != 1 || took[0] <= 0 {
		t.Errorf("%v, %v", took, err)
	}
}

func TestAsksToDisconnect(t *testing.T) {
	t.Parallel()
	request := func(code radiustest.Code, secret string) []byte {
		p := &radiustest.Packet{Code: code}
		datagram, err := p.Add(typeUserName, []byte(login(1))).Encode(member.Secret(secret))
		if err != nil {
			t.Fatal(err)
		}
		return datagram
	}
	if !asksToDisconnect(request(disconnectRequest, sharedSecret)) {
		t.Error("a Disconnect-Request is not known as one")
	}
	for name, datagram := range map[string][]byte{
		"CoA": request(43, sharedSecret), "other secret": request(disconnectRequest, "another"), "cut": request(disconnectRequest, sharedSecret)[:19],
	} {
		if asksToDisconnect(datagram) {
			t.Errorf("%s: it is taken", name)
		}
	}
}
