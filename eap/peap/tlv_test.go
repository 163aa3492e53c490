package peap

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"memberradius/eap"
)

func unhex(t testing.TB, digits string) []byte {
	t.Helper()
	octets, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatalf("%q: %v", digits, err)
	}
	return octets
}

// The sample of MS-PEAP §4.4.1: the first 40 octets of the tunnel key, the keys
// of the inner method, and what follows of them.
const (
	sampleTunnel    = "738BB5F462D58E7ED844E1F00D0EBE50C50A2050DE11997710D65F45FB5FBAB7E3181E924F429738"
	sampleInner     = "673E961401BEFBA560717B3B5DDD40386567F9F416FD3E9DFC71163BDFF2FA95"
	sampleIPMK      = "3A911C255473E83E9A0CC333AE1F8A35CDC74163E7F60F6C65EF71C26442AAACA2B6F1EB4F25ECA3"
	sampleCMK       = "3355353B6920D074C782E475DFB0999D4DB467EB"
	sampleNonce     = "BDA7A599FA816521AD3064C2BDDBD16EAA949E7D98A8D7943147CF425D85DA7B"
	sampleRequest   = "000C003800000000" + sampleNonce + "0CBF105E91755748224FBB83000626911CFB1B0F"
	sampleResponse  = "000C0038000000016C6BA38784237457CCC90B1A908CBDF4711B69994D0CFE8D3DB44ECBCDAD37E942E086071D1C8B8C8E458F7021F06A6EAB16B646"
	sampleFirstKey  = "6A02D782201BC7138BF8EFF733B496970D7CAB300AC9577278E1DDD5AEF76697"
	sampleSecondKey = "1752D4E584A1C895039B4D05E3BC9A8484DDC2AA6E2CE162765C4068BFF65A45"
)

// TestMSPEAPSample is MS-PEAP §4.4.1: request, response and keys.
func TestMSPEAPSample(t *testing.T) {
	t.Parallel()
	c := newCompound(append(unhex(t, sampleTunnel), make([]byte, 20)...), unhex(t, sampleInner))
	if !bytes.Equal(c.ipmk, unhex(t, sampleIPMK)) || !bytes.Equal(c.cmk, unhex(t, sampleCMK)) {
		t.Errorf("IPMK %x, CMK %x", c.ipmk, c.cmk)
	}
	nonce := [nonceSize]byte(unhex(t, sampleNonce))
	if got := c.appendBinding([]byte("x"), &nonce, bindingRequest); !bytes.Equal(got, append([]byte("x"), unhex(t, sampleRequest)...)) {
		t.Errorf("the request is %x, want %s", got, sampleRequest)
	}
	if !c.answers(unhex(t, sampleResponse)) {
		t.Error("the sample's response is refused")
	}
	if got := c.msk(); !bytes.Equal(got, unhex(t, sampleFirstKey+sampleSecondKey)) {
		t.Errorf("the keys are %x", got)
	}
}

// TestOnlyTheRightAnswerBinds: a bit anywhere, or our own request back, does not.
func TestOnlyTheRightAnswerBinds(t *testing.T) {
	t.Parallel()
	c := compound{unhex(t, sampleIPMK), unhex(t, sampleCMK)}
	if c.answers(unhex(t, sampleRequest)) {
		t.Error("our request is taken for an answer")
	}
	for i := range bindingSize {
		wrong := unhex(t, sampleResponse)
		wrong[i] ^= 1
		if c.answers(wrong) {
			t.Errorf("octet %d is wrong, and the answer right", i)
		}
	}
}

// TestResumedCompound: without an inner method the tunnel key is the compound.
func TestResumedCompound(t *testing.T) {
	t.Parallel()
	tunnel := append(unhex(t, sampleTunnel), unhex(t, sampleCMK)...)
	c := newCompound(tunnel, nil)
	if !bytes.Equal(c.ipmk, tunnel[:40]) || !bytes.Equal(c.cmk, tunnel[40:]) {
		t.Errorf("IPMK %x, CMK %x", c.ipmk, c.cmk)
	}
}

func TestParseTLVs(t *testing.T) {
	t.Parallel()
	binding := unhex(t, sampleResponse)
	tests := []struct {
		name, octets string
		status       uint16
		binding      bool
		err          string
	}{
		{"success", "8003 0002 0001", statusSuccess, false, ""},
		{"failure", "8003 0002 0002", statusFailure, false, ""},
		{"not mandatory, reserved bit", "4003 0002 0001", statusSuccess, false, ""},
		{"both", "8003 0002 0001" + sampleResponse, statusSuccess, true, ""},
		{"the other way round", sampleResponse + "8003 0002 0001", statusSuccess, true, ""},
		{"an unknown one before", "0007 0003 616263 8003 0002 0001", statusSuccess, false, ""},
		{"nothing", "", 0, false, ""},
		{"half a header", "8003 00", 0, false, errTLV.Error()},
		{"a TLV that overruns", "8003 0003 0001", 0, false, errTLV.Error()},
		{"one of 64 KiB", "0007 ffff 00", 0, false, errTLV.Error()},
		{"a Result of one octet", "8003 0001 01", 0, false, "a Result TLV of another length"},
		{"a Result of three", "8003 0003 000100", 0, false, "a Result TLV of another length"},
		{"a binding of 55", "000c 0037" + strings.Repeat("00", 55), 0, false, "a Crypto-Binding TLV of another length"},
		{"a binding of none", "000c 0000", 0, false, "a Crypto-Binding TLV of another length"},
	}
	for _, c := range tests {
		got, err := parseTLVs(unhex(t, c.octets))
		if (err != nil) != (c.err != "") || err != nil && err.Error() != c.err {
			t.Errorf("%s: %v, want %q", c.name, err, c.err)
			continue
		}
		if err == nil && (got.status != c.status || (got.binding != nil) != c.binding || c.binding && !bytes.Equal(got.binding, binding)) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func FuzzTLVs_NoPanic(f *testing.F) {
	for _, seed := range []string{"", "800300020001", "800300020001" + sampleResponse, "000c0000", "0007ffff00"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		got, err := parseTLVs(octets)
		if err == nil && got.binding != nil && len(got.binding) != bindingSize {
			t.Fatalf("a binding of %d octets", len(got.binding))
		}
		if got.binding != nil && (compound{unhex(t, sampleIPMK), unhex(t, sampleCMK)}).answers(got.binding) && !bytes.Equal(got.binding, unhex(t, sampleResponse)) {
			t.Fatalf("%x binds", got.binding)
		}
	})
}

func FuzzTLVs_RoundTrip(f *testing.F) {
	f.Add(uint16(1), unhex(f, sampleNonce), byte(1), []byte("key"))
	f.Fuzz(func(t *testing.T, status uint16, random []byte, subType byte, key []byte) {
		var nonce [nonceSize]byte
		copy(nonce[:], random)
		c := compound{key, key}
		got, err := parseTLVs(c.appendBinding(appendResult(nil, status), &nonce, subType))
		if err != nil || got.status != status || got.binding == nil || !bytes.Equal(got.binding[nonceAt:macAt], nonce[:]) {
			t.Fatalf("came back as %+v, %v", got, err)
		}
		if c.answers(got.binding) != (subType == bindingResponse) {
			t.Errorf("subtype %d answers: %t", subType, subType != bindingResponse)
		}
	})
}

// FuzzInner_NoPanic: what a device says inside, with a header or without.
func FuzzInner_NoPanic(f *testing.F) {
	f.Add([]byte("\x01anna"))
	f.Add([]byte("\x02\x01\x00\x09\x01anna"))
	f.Add([]byte("\x02\x01\x00\x05\x21"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, plain []byte) {
		c := &conversation{inner: eap.NewDialog(nil, 0)}
		p, err := c.packet(plain)
		if err == nil && (p.Code != eap.Response || len(p.Data) >= len(plain)) {
			t.Fatalf("%x is read as %+v", plain, p)
		}
		if err == nil && p.Append(nil) == nil {
			t.Fatal("it can't be written")
		}
	})
}

func FuzzInner_RoundTrip(f *testing.F) {
	f.Add(byte(1), byte(7), []byte("anna"))
	f.Fuzz(func(t *testing.T, kind, ident byte, data []byte) {
		if len(data) > eap.MaxPacket-5 {
			return
		}
		c := &conversation{inner: eap.NewDialog(nil, ident)}
		whole := eap.Packet{Code: eap.Response, ID: ident, Type: eap.Type(kind), Data: data}.Append(nil)
		for _, plain := range [][]byte{whole, headless(whole)} {
			p, err := c.packet(plain)
			if looksWhole := plain[0] == byte(eap.Response) && len(plain) < len(whole); looksWhole {
				continue // type 2 without a header may look like one with it
			}
			if err != nil || p.ID != ident || p.Type != eap.Type(kind) || !bytes.Equal(p.Data, data) {
				t.Errorf("%x came back as %+v, %v", plain, p, err)
			}
		}
	})
}
