package eap_test

import (
	"crypto/tls"
	"testing"

	"memberradius/eap"
	"memberradius/eap/eaptest"
)

// TestLight: how many packets of each conversation a reader takes itself. That
// they keep the promise of eap.Light, eaptest.Server sees to in every test.
func TestLight(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		kind       eap.Type
		version    uint16
		limit      int
		all, light int
	}{
		// Heavy are ClientHello, the device's key, and the response to the challenge.
		{"PEAP, TLS 1.2", eap.PEAP, tls.VersionTLS12, 0, 8, 5},
		// Of TTLS-PAP the packet with the password is heavy too.
		{"TTLS-PAP, TLS 1.2", eap.TTLS, tls.VersionTLS12, 0, 4, 1},
		{"TTLS-PAP, TLS 1.3", eap.TTLS, tls.VersionTLS13, 0, 3, 1},
		// Each fragment of the server's flight but the first answers an acknowledgement.
		{"TTLS-PAP in fragments", eap.TTLS, tls.VersionTLS12, 300, 6, 3},
		{"EAP-TLS, TLS 1.3", eap.TLS, tls.VersionTLS13, 0, 4, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(tt.kind)
			w.Limit = tt.limit
			all := 0
			w.Watch = func(fromServer bool, _ []byte) {
				if !fromServer {
					all++
				}
			}
			if o := w.Converse(device(tt.kind, tt.version, password).Peer("anonymous")); o.Kind != eap.Accept {
				t.Fatalf("ended with %d, %+v", o.Kind, o.Result.Fault)
			}
			if all != tt.all || int(w.Light.Load()) != tt.light {
				t.Errorf("%d packets, %d of them light; want %d and %d", all, w.Light.Load(), tt.all, tt.light)
			}
		})
	}
}

// TestLightOnly leaves what is not light untouched, for whoever has more time.
func TestLightOnly(t *testing.T) {
	t.Parallel()
	calls := 0
	b := newBench(roomy(), &script{kind: eap.PEAP, next: func(int, []byte, *eap.Exchange) eap.Turn {
		calls++
		return eap.Turn{Kind: eap.Ask}
	}})
	o := b.begin(t, "ap")
	a := eap.Arrival{State: o.State[:], Packet: response(o.Packet[1], eap.PEAP, "go on"), Methods: []eap.Method{b.method}, LightOnly: true}
	x := eap.Exchange{Limit: 1024, Now: eaptest.Now()}
	for range 3 {
		if later := b.Handle(&a, &x); !later.Later || later.Packet != nil || later.State != o.State || calls != 1 {
			t.Fatalf("not light: %+v after %d calls", later, calls)
		}
	}
	a.LightOnly = false
	if o = b.Handle(&a, &x); o.Kind != eap.Ask || o.Later || calls != 2 {
		t.Errorf("handed over again: %+v after %d calls", o, calls)
	}
}
